/** Two fake engines on one wire; time moves when a test waits. */

import { concat, fromHex } from '../../src/base/bytes.ts';
import { VirtualClock } from '../../src/base/clock.ts';
import { seededRandom } from '../../src/base/random.ts';
import { FakeEngine } from '../../src/datapath/fake.ts';
import { Wire } from '../../src/datapath/fake-wire.ts';
import { bridgeName, Control, type More, type Pair, portName, type Side, type World } from './world.ts';

/** Before a datagram on a LAN. */
const ethernet = fromHex('ffffffffffff 02005e000001 0800');

export const fakeWorld: World = {
  name: 'the fake engine',
  open: async () => openPair(),
  remove: async () => {},
};

function openPair(): Pair {
  const clock = new VirtualClock();
  const wire = new Wire({ clock, random: seededRandom(1) });
  const more: More = async (wanted) => {
    if (!clock.step()) throw new Error(`nothing will happen any more, but wanted: ${wanted}`);
  };
  return {
    left: openSide(wire, 0x0a000001, more),
    right: openSide(wire, 0x0a000002, more),
    pass: async () => clock.advance(1),
    close: async () => {},
  };
}

function openSide(wire: Wire, address: number, more: More): Side {
  let hasEnded = false;
  const packets: Uint8Array[] = [];
  const engine = new FakeEngine({
    wire,
    address,
    foreignLinks: ['lo'],
    bridges: [bridgeName],
    onEnd: () => {
      hasEnded = true;
    },
  });
  engine.onPacket = (linkName, octets) =>
    packets.push(linkName === portName ? octets.subarray(ethernet.length) : octets);
  let face = engine.connect();
  let control = new Control(face, more);
  return {
    address,
    get control() {
      return control;
    },
    leave: async () => face.close(),
    join: async () => {
      face = engine.connect();
      control = new Control(face, more);
      return control;
    },
    ended: async () => {
      while (!hasEnded) await more('the end of the engine');
    },
    sendPacket: async (linkName, payload) => engine.transmit(linkName, payload),
    sendBridged: async (payload) => engine.transmit(portName, concat(ethernet, payload)),
    nextPacket: async () => {
      while (packets.length === 0) await more('a packet');
      return packets.shift() as Uint8Array;
    },
  };
}
