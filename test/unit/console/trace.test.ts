import { describe, expect, it } from 'vitest';
import { Fault } from '../../../src/base/fault.ts';
import type { Form } from '../../../src/console/desk.ts';
import { Interrupted, type Run } from '../../../src/console/run.ts';
import type { CallTrace } from '../../../src/session/trace/tunnel-trace.ts';
import { ip, plain, World } from './world.ts';

/** What `line` says: whenever it waits the next of `acts` happens, and after the last it is interrupted. */
function traced(world: World, line: string, acts: readonly (() => void)[], form: Form = plain): string {
  const run: Run = world.shell().run(line, form);
  const left = [...acts];
  let said = '';
  try {
    let step = run.next();
    while (!step.done) {
      const { value } = step;
      if (typeof value === 'string') {
        said += value;
        step = run.next();
        continue;
      }
      const answers: unknown[] = [];
      const stop = value.begin((answer) => answers.push(answer));
      while (answers.length === 0 && left.length > 0) left.shift()?.();
      if (answers.length > 0) step = run.next(answers[0]);
      else {
        stop?.();
        step = run.throw(new Interrupted());
      }
    }
  } catch (error) {
    if (error instanceof Fault) said += `! ${error.message}\n  ${error.hint}\n`;
    else if (!(error instanceof Interrupted)) throw error;
  }
  return said;
}

function callOf(world: World): CallTrace {
  return world.traces.tunnel(ip('192.0.2.7')).call({ sessionId: 'a1', name: '<pptp-5>' });
}

const echo = Uint8Array.of(9, 7, 0, 8, 0, 0, 0, 1);

describe('/ppp trace', () => {
  it('shows each packet on a line with its time and topics, until interrupted', () => {
    const world = new World();
    const call = callOf(world);
    const acts = [
      () => call.frame('rcvd', 0xc021, echo),
      () => {
        world.clock.advance(1234);
        call.named('jack');
        call.frame('sent', 0xc023, Uint8Array.of(3, 1, 0, 9, 4, 0x1b, 0x5b, 0x32, 0x4a));
      },
    ];

    expect(traced(world, '/ppp trace jack', acts)).toBe(
      [
        ';;; tracing user=jack',
        '00:00:00.000 pptp,ppp,debug,packet <pptp-5>: rcvd LCP EchoReq id=0x7 <magic 0x1>',
        '00:00:01.234 pptp,ppp,debug,packet <pptp-5>: sent PAP AuthNak id=0x1 "\\x1b[2J"',
        '',
      ].join('\n'),
    );
  });

  it('ends by itself when its time is over, and is closed then', () => {
    const world = new World();
    const call = callOf(world);
    const acts = [() => call.frame('rcvd', 0xc021, echo), () => world.clock.advance(3000)];

    expect(traced(world, '/ppp trace caller-id=192.0.2.7 duration=3s', acts)).toMatch(
      /^;;; tracing caller-id=192\.0\.2\.7\n00:00:00\.000 .* <magic 0x1>\n$/,
    );
    const others = Array.from({ length: 8 }, () => world.traces.begin({ user: 'jack' }));
    expect(traced(world, '/ppp trace jack', [])).toBe(
      '! failure: too many traces are running\n  Each trace compares every packet of the node: no more than 8 at one time. Leave another one first.\n',
    );
    for (const trace of others) trace.close();
  });

  it('is closed when its operator is gone', () => {
    const world = new World();
    for (let at = 0; at < 9; at += 1) {
      const run = world.shell().run('/ppp trace jack', plain);
      expect(run.next().value).toBe(';;; tracing user=jack\n');
      run.return();
    }
  });

  it('says which other node has him, and goes on', () => {
    expect(traced(new World(), '/ppp trace bob', [])).toBe(
      ';;; tracing user=bob\n;;; connected to south: trace there what happens there\n',
    );
  });

  it('tells JSON, an object a line', () => {
    const world = new World();
    const call = callOf(world);
    const acts = [() => call.frame('rcvd', 0xc021, echo)];

    expect(
      JSON.parse(traced(world, '/ppp trace interface=<pptp-5>', acts, { ...plain, json: true })),
    ).toEqual({
      time: '2026-11-21T00:00:00.000Z',
      topics: 'pptp,ppp,debug,packet',
      message: '<pptp-5>: rcvd LCP EchoReq id=0x7 <magic 0x1>',
    });
  });

  it('shows a session of the list, if it is on this node', () => {
    const world = new World();
    const call = world.traces.tunnel(ip('192.168.51.3')).call({ name: '<pptp-5>' });
    call.called({ user: 'alice', interfaceName: '<pptp-alice>' });
    const acts = [() => call.frame('sent', 0xc021, echo)];

    expect(traced(world, '/ppp active trace 0', acts)).toBe(
      ';;; tracing user=alice caller-id=192.168.51.3 interface=<pptp-alice>\n' +
        '00:00:00.000 pptp,ppp,debug,packet <pptp-alice>: sent LCP EchoReq id=0x7 <magic 0x1>\n',
    );
    expect(traced(world, '/ppp active trace bob', [])).toBe(
      '! failure: bob is connected to south\n  Trace on that node: /ppp trace bob\n',
    );
    expect(traced(world, '/ppp active trace [find name=nobody]', [])).toMatch(/^! .*no such item/);
  });

  it('has to be told whom', () => {
    expect(traced(new World(), '/ppp trace', [])).toMatch(
      /^! .*missing value\(s\) of argument\(s\) user.*\n {2}Say whom to trace: a user, caller-id= or interface=\.\n$/,
    );
    expect(traced(new World(), '/ppp trace duration=3s', [])).toMatch(/^! .*missing value/);
  });
});
