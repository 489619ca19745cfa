import { beforeEach, describe, expect, it } from 'vitest';
import { toBytes } from '../../../src/base/bytes.ts';
import { VirtualClock } from '../../../src/base/clock.ts';
import type { Facts } from '../../../src/base/observe.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { CordonWatch, type ReplyEvents } from '../../../src/kubernetes/cordon-watch.ts';
import { bookmark, deleted, error, modified, nodeList, nodeObject } from './words.ts';

/** One request, as the API server sees it. */
interface Request {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly atMs: number;
  readonly events: ReplyEvents;
  isClosed: boolean;
}

let clock: VirtualClock;
let requests: Request[];
let news: boolean[];
let lines: { severity: string; text: string; facts: Facts | undefined }[];
let watch: CordonWatch;

beforeEach(() => {
  clock = new VirtualClock();
  requests = [];
  news = [];
  lines = [];
  watch = new CordonWatch('node-1', {
    clock,
    random: seededRandom(1),
    log: (severity, _topics, text, facts) => void lines.push({ severity, text, facts }),
    ask(path, events) {
      const { pathname, searchParams } = new URL(path, 'https://kubernetes');
      const query = Object.fromEntries(searchParams);
      const request: Request = { path: pathname, query, atMs: clock.nowMs(), events, isClosed: false };
      requests.push(request);
      return {
        close() {
          request.isClosed = true;
        },
      };
    },
    cordoned: (isCordoned) => void news.push(isCordoned),
  });
  watch.begin();
});

function latest(): Request {
  const request = requests.at(-1);
  if (request === undefined) throw new Error('nothing was asked');
  return request;
}

/** The next request, however long the pause before it. */
function next(): Request {
  const before = requests.length;
  while (requests.length === before) if (!clock.step()) throw new Error('nothing will be asked');
  return latest();
}

function say(text: string): void {
  const { events, isClosed } = latest();
  if (isClosed) throw new Error('nobody listens');
  events.received(toBytes(text));
}

function listed(version: string, cordoned: boolean): void {
  latest().events.answered(200);
  say(nodeList(version, nodeObject('1', cordoned)));
  latest().events.ended();
  latest().events.answered(200);
}

const isList = ({ query }: Request): boolean => !('watch' in query);

describe('a node', () => {
  it('is listed, and watched from there', () => {
    expect(latest()).toMatchObject({
      path: '/api/v1/nodes',
      query: { fieldSelector: 'metadata.name=node-1' },
    });
    listed('100', false);

    expect(requests).toHaveLength(2);
    expect(latest()).toMatchObject({
      path: '/api/v1/nodes',
      query: {
        fieldSelector: 'metadata.name=node-1',
        watch: 'true',
        resourceVersion: '100',
        allowWatchBookmarks: 'true',
      },
    });
    expect(news).toEqual([]);
    expect(lines).toMatchObject([{ severity: 'info', facts: { event: 'cordon-watched' } }]);
  });

  it('that is cordoned from the start is told of at once', () => {
    listed('100', true);

    expect(news).toEqual([true]);
  });

  it('is told of once for each change', () => {
    listed('100', false);
    say(modified('101', false) + modified('102', true) + modified('103', true));
    expect(news).toEqual([true]);

    say(bookmark('104') + modified('105', false) + modified('106', false));
    expect(news).toEqual([true, false]);
    expect(lines.slice(1).map(({ text }) => text)).toEqual([
      'Kubernetes: node-1 is cordoned',
      'Kubernetes: node-1 is cordoned no more',
    ]);
  });

  it('that is deleted stays as it was', () => {
    listed('100', true);
    say(deleted('101'));

    expect(news).toEqual([true]);
  });

  it('that the API server does not know is the operator’s to mend', () => {
    latest().events.answered(200);
    say(nodeList('100'));
    latest().events.ended();

    expect(lines).toMatchObject([
      { severity: 'warning', facts: { code: 'NO_SUCH_NODE', hint: expect.stringMatching(/NODE_NAME/) } },
    ]);
    expect(isList(next())).toBe(true);
  });
});

describe('a watch that ends', () => {
  it.each([
    ['a bookmark', bookmark('150')],
    ['a change', modified('150', true)],
    ['a deletion', deleted('150')],
  ])('goes on from %s', (_, line) => {
    listed('100', false);
    say(line);
    latest().events.ended();

    expect(next().query.resourceVersion).toBe('150');
    expect(lines.filter(({ severity }) => severity === 'warning')).toEqual([]);
  });

  it('by 410 Gone lists the object again, and sees what it has missed', () => {
    listed('100', false);
    say(error(410));
    expect(requests[1]?.isClosed).toBe(true);

    expect(isList(next())).toBe(true);
    listed('900', true);
    expect(news).toEqual([true]);
    expect(latest().query.resourceVersion).toBe('900');
  });

  it('before it begins, by HTTP 410, does so as well', () => {
    listed('100', false);
    latest().events.ended();
    next().events.answered(410);

    expect(isList(next())).toBe(true);
  });

  it('lists again under a cordon without telling of it again', () => {
    listed('100', true);
    say(error(410));
    next();
    listed('900', true);

    expect(news).toEqual([true]);
  });

  it('lets nothing through behind an error', () => {
    listed('100', false);
    say(error(410) + modified('101', true));

    expect(news).toEqual([]);
  });

  it('with a line that cannot be read lists the object again', () => {
    listed('100', false);
    say('{\n');

    expect(lines.at(-1)).toMatchObject({ severity: 'warning', facts: { code: 'KUBERNETES_BAD_JSON' } });
    expect(isList(next())).toBe(true);
  });
});

describe('an API server that is away', () => {
  it('neither begins nor ends a cordon', () => {
    listed('100', true);
    latest().events.failed('ECONNRESET', 'read ECONNRESET');
    for (let tries = 0; tries < 20; tries += 1) next().events.failed('ECONNREFUSED', 'connect ECONNREFUSED');

    expect(news).toEqual([true]);
  });

  it('is asked ever more seldom, at least once a minute, and with the version that is known', () => {
    listed('100', false);
    latest().events.failed('ECONNRESET', 'read ECONNRESET');
    for (let tries = 0; tries < 10; tries += 1) next().events.failed('ECONNREFUSED', 'connect ECONNREFUSED');

    const times = requests.slice(1).map(({ atMs }) => atMs);
    const pauses = times.slice(1).map((atMs, at) => atMs - (times[at] ?? 0));
    for (const [at, pause] of pauses.entries()) {
      const longest = Math.min(1_000 * 2 ** at, 60_000);
      expect(pause).toBeGreaterThanOrEqual(longest / 2);
      expect(pause).toBeLessThan(longest);
    }
    expect(requests.slice(1).map(({ query }) => query.resourceVersion)).toEqual(Array(11).fill('100'));
  });

  it('is told of once, and once more when it is back; then it is asked promptly again', () => {
    listed('100', false);
    latest().events.failed('ECONNRESET', 'read ECONNRESET');
    for (let tries = 0; tries < 10; tries += 1) next().events.failed('ECONNRESET', 'read ECONNRESET');
    next().events.answered(200);
    say(bookmark('101'));
    expect(lines.map(({ severity }) => severity)).toEqual(['info', 'warning', 'info']);

    const before = clock.nowMs();
    latest().events.ended();
    expect(next().atMs - before).toBeLessThanOrEqual(1_000);
  });

  it('that forgets each version it names is not asked in a hurry', () => {
    for (let rounds = 0; rounds < 10; rounds += 1) {
      listed('100', false);
      say(error(410));
      next();
    }

    expect(clock.nowMs()).toBeGreaterThan(120_000);
  });

  it.each([
    ['a list', () => {}],
    ['a watch', () => listed('100', false)],
  ])('that falls silent in %s is asked again', (_, arrange) => {
    arrange();
    const silent = latest();
    next();

    expect(silent.isClosed).toBe(true);
    expect(latest().atMs - silent.atMs).toBeLessThanOrEqual(181_000);
    expect(lines.at(-1)).toMatchObject({ severity: 'warning', facts: { code: 'SILENT' } });
  });

  it.each([
    [401, /token/],
    [403, /ClusterRoleBinding/],
    [503, /\/system drain/],
  ])('or refuses with %i is told of with what to do', (status, hint) => {
    latest().events.answered(status);

    expect(lines).toMatchObject([
      { severity: 'warning', facts: { event: 'cordon-unwatched', hint: expect.stringMatching(hint) } },
    ]);
    expect(latest().isClosed).toBe(true);
    next();
    listed('100', false);
    expect(lines.at(-1)).toMatchObject({ severity: 'info', facts: { event: 'cordon-watched' } });
  });
});

describe('the end', () => {
  it('asks nothing more, in the middle of a watch or of a pause', () => {
    listed('100', false);
    watch.close();
    expect(latest().isClosed).toBe(true);
    expect(clock.step()).toBe(false);

    watch.begin();
    latest().events.failed('ECONNRESET', 'read ECONNRESET');
    watch.close();
    expect(clock.step()).toBe(false);
  });
});
