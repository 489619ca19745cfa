import { describe, expect, it } from 'vitest';
import { toBytes } from '../../../src/base/bytes.ts';
import { Malformed } from '../../../src/base/fault.ts';
import { ListText, WatchText } from '../../../src/kubernetes/node-object.ts';
import { bookmark, deleted, error, modified, nodeList, nodeObject } from './words.ts';

function listed(text: string) {
  const list = new ListText();
  list.push(toBytes(text));
  return list.read();
}

const watched = (text: string) => new WatchText().push(toBytes(text));

describe('a list', () => {
  it('tells whether the node is cordoned, and the version of the list, not of the node', () => {
    expect(listed(nodeList('200', nodeObject('7', true)))).toEqual({ version: '200', isCordoned: true });
    expect(listed(nodeList('200', nodeObject('7', false)))).toEqual({ version: '200', isCordoned: false });
  });

  it('without the node says so', () => {
    expect(listed(nodeList('200'))).toEqual({ version: '200', isCordoned: undefined });
  });

  it.each([
    ['', 'KUBERNETES_BAD_JSON'],
    ['{"metadata":', 'KUBERNETES_BAD_JSON'],
    ['null', 'KUBERNETES_BAD_OBJECT'],
    ['{"items":[]}', 'KUBERNETES_BAD_OBJECT'],
    ['{"metadata":{"resourceVersion":7},"items":[]}', 'KUBERNETES_BAD_OBJECT'],
    ['{"metadata":{"resourceVersion":"7"},"items":{}}', 'KUBERNETES_BAD_OBJECT'],
  ])('that is %j is malformed', (text, code) => {
    expect(listed(text)).toMatchObject({ code });
  });

  it('is as long as an object can be, and no longer', () => {
    const list = new ListText();
    const megabyte = new Uint8Array(1024 * 1024).fill(0x20);

    const wrong = [1, 2, 3, 4, 5].map(() => list.push(megabyte)?.code);

    expect(wrong).toEqual([undefined, undefined, undefined, undefined, 'KUBERNETES_TOO_LONG']);
  });
});

describe('a watch', () => {
  const story = modified('8', true) + bookmark('9') + deleted('10') + error(410) + error(500);
  const events = [
    { kind: 'node', version: '8', isCordoned: true },
    { kind: 'version', version: '9' },
    { kind: 'version', version: '10' },
    { kind: 'expired' },
    { kind: 'error', status: 500 },
  ];

  it('is the same wherever it is cut, also within a letter', () => {
    const octets = toBytes(story);
    for (let cut = 0; cut <= octets.length; cut += 1) {
      const watch = new WatchText();
      const seen = [...watch.push(octets.subarray(0, cut)), ...watch.push(octets.subarray(cut))];

      expect([cut, seen]).toEqual([cut, events]);
    }
  });

  it('may come octet by octet', () => {
    const watch = new WatchText();

    expect([...toBytes(story)].flatMap((octet) => watch.push(Uint8Array.of(octet)))).toEqual(events);
  });

  it('tells nothing of half a line', () => {
    expect(watched(modified('8', true).slice(0, -1))).toEqual([]);
  });

  it.each([
    ['{\n', 'KUBERNETES_BAD_JSON'],
    ['[]\n', 'KUBERNETES_BAD_OBJECT'],
    ['{"type":"ADDED","object":{}}\n', 'KUBERNETES_BAD_OBJECT'],
    ['{"type":"MOVED","object":{"metadata":{"resourceVersion":"7"}}}\n', 'KUBERNETES_BAD_OBJECT'],
    ['{"type":"ERROR","object":{"code":"410"}}\n', 'KUBERNETES_BAD_OBJECT'],
  ])('with the line %j is malformed', (line, code) => {
    const [first, ...others] = watched(line);

    expect(first).toBeInstanceOf(Malformed);
    expect(first).toMatchObject({ code });
    expect(others).toEqual([]);
  });

  it('of a line without end is malformed', () => {
    const watch = new WatchText();
    const megabyte = new Uint8Array(1024 * 1024).fill(0x20);

    const wrong = [1, 2, 3, 4, 5].flatMap(() => watch.push(megabyte));

    expect(wrong).toMatchObject([{ code: 'KUBERNETES_TOO_LONG' }]);
  });
});
