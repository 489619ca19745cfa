import { describe, expect, it } from 'vitest';
import { prove } from '../../../../src/aaa/proof.ts';
import { toText } from '../../../../src/base/bytes.ts';
import type { Answer, Credentials } from '../../../../src/ppp/auth/credentials.ts';
import { passwordMethodsByStrength } from '../../../../src/ppp/auth/method.ts';
import { Password } from '../../../../src/ppp/auth/password.ts';
import { converse } from './conversation.ts';
import { judgeEap } from './eap-peer.ts';

const judge = (credentials: Credentials): Answer => {
  if (credentials.method === 'eap') return judgeEap(credentials, 'secret');
  const { proved, ...rest } = prove(credentials, new Password('secret'));
  return proved
    ? { accept: true, message: 'access granted', ...rest }
    : { accept: false, errorCode: 691, message: 'bad user name or password' };
};

describe.each(passwordMethodsByStrength)('%s', (method) => {
  it('lets in who knows the password', () => {
    const { server, client, questions } = converse({ method, judge });

    expect(server).toMatchObject([{ do: 'done', method, peerName: 'jack' }]);
    expect(client).toMatchObject([{ do: 'done', method, peerName: method === 'pap' ? '' : 'node1' }]);
    expect(questions).toHaveLength(1);
  });

  it('refuses who does not, with the same words on both sides', () => {
    const { server, client } = converse({ method, password: 'guess', judge });

    const words = method === 'mschap1' ? 'authentication failure' : 'bad user name or password';
    expect(server).toEqual([{ do: 'failed', cause: 'refused', message: 'bad user name or password' }]);
    expect(client).toEqual([{ do: 'failed', cause: 'refused', message: words }]);
  });

  it('gives both sides the same keys, crosswise, or none', () => {
    const { server, client } = converse({ method, judge });

    const [ours, theirs] = [server[0], client[0]].map((end) => (end?.do === 'done' ? end.keys : undefined));
    if (method === 'pap' || method === 'chap') {
      expect([ours, theirs]).toEqual([undefined, undefined]);
    } else {
      expect(ours?.send).toHaveLength(16);
      expect(theirs).toEqual({
        send: ours?.receive,
        receive: ours?.send,
        shortSend: ours?.shortReceive,
        shortReceive: ours?.shortSend,
      });
    }
  });

  it('asks the authority once however often the peer repeats itself while it thinks', () => {
    const { server, client, questions, frames } = converse({ method, authorityMs: 14_000, judge });

    expect(frames.filter(({ from }) => from === 'client').length).toBeGreaterThan(3);
    expect(questions).toHaveLength(1);
    expect(server).toMatchObject([{ do: 'done' }]);
    expect(client).toMatchObject([{ do: 'done' }]);
  });

  it('gives up after ten tries, in half a minute, when no frame arrives', () => {
    const { server, client, tookMs } = converse({ method, loss: 100, judge });

    expect(server).toMatchObject([{ do: 'failed', cause: 'silent' }]);
    expect(client).toMatchObject([{ do: 'failed', cause: 'silent' }]);
    expect(tookMs).toBe(30_000);
  });

  it('comes to one outcome on each side, the same, over a wire that loses and doubles frames', () => {
    const runs = 400;
    let settled = 0;
    for (let seed = 1; seed <= runs; seed++) {
      const password = seed % 4 === 0 ? 'guess' : 'secret';
      const { server, client, questions } = converse({
        method,
        password,
        seed,
        loss: 30,
        doubling: 30,
        judge,
      });

      expect(server, `seed ${seed}`).toHaveLength(1);
      expect(client, `seed ${seed}`).toHaveLength(1);
      expect(questions.length, `seed ${seed}`).toBeLessThanOrEqual(1);
      const [ours, theirs] = [server[0], client[0]];
      const silent = [ours, theirs].some((end) => end?.do === 'failed' && end.cause === 'silent');
      if (silent) continue;
      settled += 1;
      expect(ours?.do, `seed ${seed}`).toBe(password === 'secret' ? 'done' : 'failed');
      expect(theirs?.do, `seed ${seed}`).toBe(ours?.do);
    }
    // Ten tries at about one chance in two: giving up is rare.
    expect(settled).toBeGreaterThan(runs * 0.95);
  });
});

describe('eap, relayed', () => {
  const method = 'eap';

  it('lets in who knows the password, in two steps, and says who it is in both', () => {
    const { server, client, questions } = converse({ method, judge });

    expect(server).toEqual([{ do: 'done', method, peerName: 'jack' }]);
    expect(client).toMatchObject([{ do: 'done' }]);
    expect(questions.map(({ name }) => name)).toEqual(['jack', 'jack']);
  });

  it('refuses who does not', () => {
    const { server, client } = converse({ method, password: 'guess', judge });

    expect(server).toEqual([{ do: 'failed', cause: 'refused', message: 'bad user name or password' }]);
    expect(client).toMatchObject([{ do: 'failed', cause: 'refused' }]);
  });

  it('lets the authority think for longer than any retry, and asks it nothing twice', () => {
    const { server, questions } = converse({ method, authorityMs: 14_000, judge });

    expect(server).toMatchObject([{ do: 'done' }]);
    expect(questions).toHaveLength(2);
  });

  it('gives up after ten tries, in half a minute, when no frame arrives', () => {
    const { server, tookMs } = converse({ method, loss: 100, judge });

    expect(server).toMatchObject([{ do: 'failed', cause: 'silent' }]);
    expect(tookMs).toBe(30_000);
  });

  it('comes to one outcome that neither side contradicts, over a wire that loses and doubles frames', () => {
    const runs = 400;
    let settled = 0;
    for (let seed = 1; seed <= runs; seed++) {
      const password = seed % 4 === 0 ? 'guess' : 'secret';
      const scene = { method, password, seed, loss: 30, doubling: 30, judge } as const;
      const { server, client, questions, frames } = converse(scene);

      expect(server, `seed ${seed}`).toHaveLength(1);
      expect(client, `seed ${seed}`).toHaveLength(1);
      expect(questions.length, `seed ${seed}`).toBeLessThanOrEqual(2);
      // Two Requests in ten tries each, every one answered at most twice, and the last Response with a judgement each time.
      expect(frames.length, `seed ${seed}`).toBeLessThan(100);
      const [ours, theirs] = [server[0], client[0]];
      const isSilent = ours?.do === 'failed' && ours.cause === 'silent';
      if (!isSilent) {
        settled += 1;
        expect(ours?.do, `seed ${seed}`).toBe(password === 'secret' ? 'done' : 'failed');
      }
      // [RFC 3748 §4.2] Success and Failure may be lost for good: then the peer hears no more, but nothing else than we said.
      if (theirs?.do === 'failed' && theirs.cause === 'silent') continue;
      expect(theirs?.do, `seed ${seed}`).toBe(ours?.do);
    }
    expect(settled).toBeGreaterThan(runs * 0.95);
  });
});

it("tells nobody a password, in any frame but PAP's", () => {
  for (const method of passwordMethodsByStrength) {
    const { frames } = converse({ method, password: 'correct horse', judge });

    const told = frames.some(({ bytes }) => toText(bytes).includes('correct horse'));
    expect(told, method).toBe(method === 'pap');
  }
});
