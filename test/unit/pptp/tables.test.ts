import { describe, expect, it } from 'vitest';
import { limits } from '../../../src/base/limits.ts';
import { type CallState, type CallTable, callTables } from '../../../src/pptp/call-states.ts';
import { type ControlEvent, controlTable } from '../../../src/pptp/control-states.ts';
import type { CallKind, Role } from '../../../src/pptp/effects.ts';
import { type MessageName, messageNames, messages } from '../../../src/pptp/messages.ts';
import { type ControlState, rules } from '../../../src/pptp/rules.ts';
import { client, message, Station, server } from './station.ts';

const controlStates: ControlState[] = ['idle', 'wait-ctl-reply', 'established', 'wait-stop-reply', 'ended'];
const parts = (['PAC', 'PNS'] as Role[]).flatMap((role) =>
  (['outgoing', 'incoming'] as CallKind[]).map((kind) => ({ role, kind, table: callTables[role][kind] })),
);

/** All cells of a call's table that say something. */
function cells(table: CallTable) {
  return Object.entries(table).flatMap(([event, row]) =>
    Object.entries(row).flatMap(([state, cell]) =>
      cell ? [{ event, state: state as CallState, ...cell }] : [],
    ),
  );
}

describe('the table of the control connection', () => {
  const events = Object.keys(controlTable) as ControlEvent[];

  it('admits a message in the states that its rule names, and in no other', () => {
    const eventsOf: Partial<Record<MessageName, ControlEvent>> = {
      startControlConnectionRequest: 'start-request',
      startControlConnectionReply: 'start-reply',
      stopControlConnectionRequest: 'stop-request',
      stopControlConnectionReply: 'stop-reply',
    };
    for (const [name, event] of Object.entries(eventsOf)) {
      const admitting = controlStates.filter((state) => controlTable[event][state] !== undefined);
      expect(admitting, name).toEqual(rules[name as MessageName].admittedIn);
    }
  });

  it('reaches every state from idle, and ended from every other in one step', () => {
    const reached = new Set<ControlState>(['idle']);
    for (const state of reached)
      for (const event of events) {
        const next = controlTable[event][state]?.next;
        if (next !== undefined) reached.add(next);
      }

    expect([...reached].sort()).toEqual([...controlStates].sort());
    for (const state of controlStates.slice(0, -1))
      expect(controlTable['tcp-closed'][state]?.next).toBe('ended');
  });

  it('tells the end exactly when it enters ended, after the end of the calls, and leaves it never', () => {
    for (const event of events)
      for (const state of controlStates) {
        const cell = controlTable[event][state];
        if (state === 'ended') expect(cell, event).toBeUndefined();
        if (cell === undefined) continue;
        expect(cell.actions.includes('tell-ended'), `${event} in ${state}`).toBe(cell.next === 'ended');
        if (cell.next !== 'ended') continue;
        expect(cell.actions.at(-1)).toBe('tell-ended');
        expect(cell.actions).toContain('end-calls');
      }
  });
});

describe.each(parts)('the table of a call, $role of an $kind one', ({ table }) => {
  const states = Object.keys(table['connection-ended'] ?? {}) as CallState[];

  it('has a cell, or says that there is none, for each of its states in each of its rows', () => {
    for (const [event, row] of Object.entries(table)) expect(Object.keys(row), event).toEqual(states);
  });

  it('reaches every state from idle', () => {
    const reached = new Set<CallState>(['idle']);
    for (const state of reached)
      for (const cell of cells(table)) if (cell.state === state) reached.add(cell.next);

    expect([...reached].sort()).toEqual([...states].sort());
  });

  it('tells its end exactly when it becomes idle, except by a refusal of ours', () => {
    for (const { event, state, next, actions } of cells(table)) {
      const tells = next === 'idle' && event !== 'refuse';
      expect(actions.includes('tell-end'), `${event} in ${state}`).toBe(tells);
    }
  });

  it('ends in every state when the connection ends, when the peer ends it, and when our owner clears it', () => {
    for (const state of states.filter((each) => each !== 'idle')) {
      expect(table['connection-ended']?.[state]?.next, state).toBe('idle');
      if (state === 'wait-connection') continue;
      expect(table['disconnect-notify']?.[state]?.next, state).toBe('idle');
      expect(table['clear-request']?.[state]?.next, state).toBe('idle');
      // Before it has an id of ours, the owner refuses it instead.
      const clears = state === 'wait-answer' ? table.refuse : table.clear;
      expect(['idle', 'wait-disconnect'], state).toContain(clears?.[state]?.next);
    }
  });

  it('leaves every state in which it waits for a reply when that is overdue', () => {
    const waits = states.filter((state) => ['wait-reply', 'wait-connect', 'wait-disconnect'].includes(state));

    for (const state of waits) expect(table.unanswered?.[state]?.next, state).not.toBe(state);
  });
});

describe('the rules', () => {
  it('have a row for every message', () => {
    expect(Object.keys(rules)).toEqual(messageNames);
  });

  it('find a call by a field that the message has', () => {
    for (const name of messageNames) {
      const fields = messages[name].fields.map((field) => field.name);
      const { call } = rules[name];
      if (call === 'our-id') expect(fields, name).toContain('peersCallId');
      if (call === 'peer-id' || call === 'new') expect(fields, name).toContain('callId');
      if (call === 'none') expect(fields.join(), name).not.toMatch(/callId/i);
    }
  });

  it('wait for a call less than a connection may be without one', () => {
    const { startControlConnectionRequest: start, outgoingCallRequest: call } = rules;

    expect((start.due?.withinMs ?? 0) + (call.due?.withinMs ?? 0)).toBeLessThan(limits.connectionSetUpMs);
  });

  it('let a farewell last no longer than a shutdown', () => {
    expect(rules.stopControlConnectionRequest.due?.withinMs).toBeLessThan(limits.shutdownMs);
    expect(rules.callClearRequest.due?.withinMs).toBeLessThan(limits.shutdownMs);
  });

  /** A station that has just sent the message. */
  const senders: Partial<Record<MessageName, () => Station>> = {
    startControlConnectionRequest() {
      const station = new Station('originator');
      return station.perform(station.machine.opened());
    },
    stopControlConnectionRequest() {
      const station = server();
      return station.perform(station.machine.stop());
    },
    echoRequest() {
      const station = client();
      station.perform(station.machine.placeCall({ kind: 'outgoing', callId: 5 }));
      station.hear(message('outgoingCallReply', { callId: 6, peersCallId: 5, resultCode: 1 })).take();
      station.clock.advance(60_000);
      return station;
    },
    outgoingCallRequest() {
      const station = client();
      return station.perform(station.machine.placeCall({ kind: 'outgoing', callId: 5 }));
    },
    incomingCallRequest() {
      const station = client();
      return station.perform(station.machine.placeCall({ kind: 'incoming', callId: 5 }));
    },
    incomingCallReply() {
      const station = server().hear(message('incomingCallRequest', { callId: 6 }));
      return station.perform(station.machine.answerCall(1, { accept: true, callId: 5 }));
    },
    callClearRequest() {
      const station = client();
      station.perform(station.machine.placeCall({ kind: 'outgoing', callId: 5 })).take();
      return station.perform(station.machine.clearCall(5));
    },
  };

  it.each(messageNames.filter((name) => rules[name].due))(
    '%s: without its reply dies what the row says',
    (name) => {
      const { due } = rules[name];
      const station = senders[name]?.();
      if (station === undefined || due === undefined) throw new Error(`no sender of ${name}`);
      expect(station.take().at(-1)?.name).toBe(name);

      station.clock.advance(due.withinMs - 1);
      const [state, calls] = [station.machine.state, station.machine.callCount];
      station.clock.advance(1 + limits.shutdownMs);

      expect([state === 'ended', calls]).toEqual([false, name.startsWith('st') ? 0 : 1]);
      expect(station.machine.state === 'ended').toBe(due.death === 'connection');
      expect(station.machine.callCount).toBe(0);
    },
  );
});
