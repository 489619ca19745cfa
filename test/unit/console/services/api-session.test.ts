import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../../../src/base/fault.ts';
import { silent } from '../../../../src/base/observe.ts';
import { below, seededRandom } from '../../../../src/base/random.ts';
import { itemsOf } from '../../../../src/config/tree.ts';
import { ApiSession, type Effect } from '../../../../src/console/services/api-session.ts';
import type { Sentence } from '../../../../src/console/services/api-words.ts';
import type { ServiceDesk, Told } from '../../../../src/console/services/desk.ts';
import { Drive } from '../../../../src/console/services/drive.ts';
import { Services } from '../../../../src/console/services/services.ts';
import { serviceMenu, userMenu } from '../../../../src/console/services/settings.ts';
import type { Gate } from '../../../../src/console/services/users.ts';
import { ip, World } from '../world.ts';

const users = ['full', 'write', 'read'].map(
  (group) => `/user add name=${group} group=${group} password=secret`,
);

/** A session over the console's world; what would wait for the event loop stands in a queue. */
class Talk {
  readonly world = new World();
  readonly #session: ApiSession;
  readonly #due: (() => void)[] = [];
  readonly #drives = new Map<number, Drive<Told>>();
  #said: Sentence[] = [];

  constructor(configuration: string) {
    this.world.configure([...users, configuration].join('\n'));
    const { services, clock } = this.world;
    let behind: { gate: Gate; desk: ServiceDesk } | undefined;
    const applied = new Services({
      ...services,
      clock,
      log: silent,
      // Later, as a file is written later: what is proposed meanwhile is proposed too early.
      commit: (candidate, answer) =>
        void this.#due.push(() => {
          const isStale = candidate.base !== this.world.store.current.number;
          if (isStale) return answer(new Fault('CONFIG_STALE', 'operator', 'too late', ''));
          services.commit(candidate, (fault) => {
            apply();
            answer(fault);
          });
        }),
      door(_, gate, desk) {
        behind = { gate, desk };
        return { configure() {}, close() {} };
      },
    });
    const apply = () => {
      const { tree } = this.world.store.current;
      const values = <V>(items: readonly { values: V }[]) => items.map((item) => item.values);
      applied.configure(values(itemsOf(tree, serviceMenu)), values(itemsOf(tree, userMenu)));
    };
    apply();
    if (behind === undefined) throw new Error('no door');
    const random = (size: number) => Uint8Array.from({ length: size }, (_, at) => at);
    this.#session = new ApiSession({ ...behind, random, from: ip('192.0.2.1'), via: 'api' });
  }

  /** What `sentences`, said at once, bring until there is nothing more to do. */
  say(...sentences: readonly Sentence[]): readonly Sentence[] {
    this.#said = [];
    for (const sentence of sentences) this.#do(this.#session.received(sentence));
    for (let next = this.#due.shift(); next !== undefined; next = this.#due.shift()) next();
    return this.#said;
  }

  /** What `durationMs` brings. */
  wait(durationMs: number): readonly Sentence[] {
    this.#said = [];
    this.world.clock.advance(durationMs);
    for (let next = this.#due.shift(); next !== undefined; next = this.#due.shift()) next();
    return this.#said;
  }

  #do(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.do === 'send') this.#said.push(effect.sentence);
      else if (effect.do === 'start') this.#start(effect);
      else if (effect.do === 'stop') this.#drives.get(effect.command)?.stop();
    }
  }

  #start({ command, flow }: Extract<Effect, { do: 'start' }>): void {
    const loop = { nowMs: () => 0, soon: (act: () => void) => void this.#due.push(act) };
    const drive = new Drive(flow, loop, {
      take: ({ row }) => void this.#said.push(this.#session.toldBy(command, row)),
      isBehind: () => false,
      whenTaken: () => {},
      ended: (result, fault) => this.#do(this.#session.ended(command, result, fault)),
    });
    this.#drives.set(command, drive);
  }
}

describe('a program that speaks the API', () => {
  const text = readFileSync(new URL('../../../vectors/api-transcripts.txt', import.meta.url), 'utf8');
  const blocks = text
    .split(/^== /m)
    .slice(1)
    .map((block) => {
      const [head = '', expected = ''] = block.split(/^--\n/m);
      const [law = '', ...configuration] = head.split('\n');
      return { law, configuration: configuration.join('\n'), expected: expected.trim() };
    });

  it.each(blocks)('$law', ({ configuration, expected }) => {
    const talk = new Talk(configuration);

    const heard = [...expected.matchAll(/^> (.*)$/gm)].flatMap(([line, words = '']) => [
      line,
      ...talk.say(words.split(' | ')).map((sentence) => sentence.join(' | ')),
    ]);

    expect(heard.join('\n')).toBe(expected);
  });
});

describe('listen', () => {
  const opened = (configuration = ''): Talk => {
    const talk = new Talk(configuration);
    talk.say(['/login', '=name=full', '=password=secret']);
    return talk;
  };

  it('tells what is added, changed and gone, and nothing of what was there', () => {
    const talk = opened('/ppp secret add name=old');
    expect(talk.say(['/ppp/secret/listen', '=.proplist=.id,name', '.tag=1'])).toEqual([]);

    talk.say(['/ppp/secret/add', '=name=new']);
    expect(talk.wait(1000)).toEqual([['!re', '.tag=1', '=.id=*2', '=name=new']]);
    talk.say(['/ppp/secret/set', '=.id=*1', '=name=older']);
    expect(talk.wait(1000)).toEqual([['!re', '.tag=1', '=.id=*1', '=name=older']]);
    talk.say(['/ppp/secret/remove', '=.id=*2']);
    expect(talk.wait(1000)).toEqual([['!re', '.tag=1', '=.id=*2', '=.dead=yes']]);
    expect(talk.wait(10_000)).toEqual([]);
  });

  it('of sessions tells who comes and goes, and not that time passes', () => {
    const talk = opened();
    const [alice, ...others] = talk.world.sessions;
    talk.say(['/ppp/active/listen', '=.proplist=name']);

    talk.world.sessions = others.map((row) => ({ ...row, startedAtMs: row.startedAtMs - 5000 }));
    expect(talk.wait(1000)).toEqual([['!re', `=.id=*${alice?.sessionId.toUpperCase()}`, '=.dead=yes']]);
    expect(talk.wait(1000)).toEqual([]);
  });

  it('by print follow begins with all that there is', () => {
    const talk = opened('/ip pool add name=a ranges=10.0.0.1');

    expect(talk.say(['/ip/pool/print', '=follow=', '=.proplist=name'])).toEqual([['!re', '=name=a']]);
    talk.say(['/ip/pool/add', '=name=b', '=ranges=10.0.0.2']);
    expect(talk.wait(1000)).toEqual([['!re', '=name=b']]);
  });

  it('is left alone when it has been cancelled', () => {
    const talk = opened();
    talk.say(['/ppp/secret/listen', '.tag=1']);
    talk.say(['/cancel', '=tag=1']);

    talk.say(['/ppp/secret/add', '=name=new']);
    expect(talk.wait(5000)).toEqual([]);
  });
});

describe('commands on their way', () => {
  it('monitor tells again and again, each round with its number', () => {
    const talk = new Talk('/interface pptp-client add name=out2 user=u connect-to=192.0.2.1');
    talk.say(['/login', '=name=read', '=password=secret']);

    expect(talk.say(['/interface/pptp-client/monitor', '=.id=out2', '=interval=5s'])).toEqual([
      ['!re', '=.section=0', '=status=Dialing'],
    ]);
    expect(talk.wait(4999)).toEqual([]);
    expect(talk.wait(1)).toEqual([['!re', '=.section=1', '=status=Dialing']]);
  });

  it('are bounded', () => {
    const talk = new Talk('');
    talk.say(['/login', '=name=full', '=password=secret']);
    for (let at = 0; at < 64; at += 1) expect(talk.say(['/ip/pool/listen', `.tag=${at}`])).toEqual([]);

    expect(talk.say(['/ip/pool/listen', '.tag=x'])).toEqual([
      ['!trap', '.tag=x', '=category=5', '=message=too many commands'],
      ['!done', '.tag=x'],
    ]);
    talk.say(['/cancel', '=tag=5']);
    expect(talk.say(['/ip/pool/listen', '.tag=y'])).toEqual([]);
  });

  it('take turns to change: none is lost to another that came first', () => {
    const talk = new Talk('');
    talk.say(['/login', '=name=full', '=password=secret']);
    const adds = Array.from({ length: 20 }, (_, at) => ['/ip/pool/add', `=name=p${at}`, '=ranges=10.0.0.1']);

    const heard = talk.say(...adds);

    expect(heard).toEqual(adds.map((_, at) => ['!done', `=ret=*${(at + 1).toString(16).toUpperCase()}`]));
    expect(talk.say(['/ip/pool/print', '=count-only='])).toEqual([['!done', '=ret=20']]);
  });

  it('that are cancelled before their turn change nothing, and the others go on', () => {
    const talk = new Talk('');
    talk.say(['/login', '=name=full', '=password=secret']);
    const add = (name: string) => ['/ip/pool/add', `=name=${name}`, '=ranges=10.0.0.1', `.tag=${name}`];

    talk.say(add('a'), add('b'), add('c'), ['/cancel', '=tag=b']);

    expect(talk.say(['/ip/pool/print', '=.proplist=name'])).toEqual([
      ['!re', '=name=a'],
      ['!re', '=name=c'],
      ['!done'],
    ]);
  });
});

describe('random sentences', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  console.log(`api sentences: SEED=${seed}`);
  const random = seededRandom(seed);
  const oneOf = <T>(all: readonly T[]): T => all[below(random, all.length)] as T;

  const paths = [
    '/ppp/secret',
    '/ppp/active',
    '/ip/pool',
    '/radius',
    '/ip/service',
    '/ppp/aaa',
    '/system/license',
  ];
  const others = [
    '/ppp',
    '',
    '/nothing',
    '/interface/pptp-client',
    '/interface/pptp-server',
    '/user/group',
    '/log',
  ];
  const verbs = [
    'print',
    'getall',
    'get',
    'find',
    'listen',
    'monitor',
    'add',
    'set',
    'unset',
    'remove',
    'enable',
    'move',
  ];
  const words = [
    ...[
      '=.id=*1',
      '=.id=admin',
      '=numbers=0,1',
      '=.id=',
      '=name=x',
      '=name=',
      '=!name=',
      '=disabled=maybe',
      '=ranges=1-2',
    ],
    ...[
      '=once=',
      '=interval=1s',
      '=interval=0',
      '=follow=',
      '=count-only=',
      '=.proplist=',
      '=.proplist=name,x',
      '=value-name=name',
    ],
    ...[
      '?name',
      '?-name',
      '?name=x',
      '?<uptime=1h',
      '?#|!',
      '?#0.',
      '?',
      '?=',
      '=',
      '==',
      '=a',
      'a',
      '=__proto__=x',
    ],
    ...[
      '=constructor=',
      '?constructor',
      '=password=',
      '=group=none',
      '=address=10.0.0.0/8,',
      '=destination=*1',
      '=comment=é',
    ],
  ];

  it('are answered, and end in done if they end', () => {
    const talk = new Talk('/ip pool add name=x ranges=10.0.0.1\n/ppp secret add name=x');
    for (let run = 0; run < 2000; run += 1) {
      talk.say(['/login', '=name=full', '=password=secret']);
      const command = `${oneOf([...paths, ...paths, ...others])}/${oneOf([...verbs, 'dance', ''])}`;
      const sentence = [command, ...Array.from({ length: below(random, 4) }, () => oneOf(words)), '.tag=t'];

      const heard = talk.say(sentence);

      const isEndless = heard.every(([word]) => word === '!re');
      const isAnswered = heard.at(-1)?.[0] === '!done' && heard.at(-1)?.includes('.tag=t');
      expect(isEndless || isAnswered, `seed ${seed}: ${sentence.join(' | ')}: ${heard.join(' / ')}`).toBe(
        true,
      );
      talk.say(['/cancel']);
    }
  });
});
