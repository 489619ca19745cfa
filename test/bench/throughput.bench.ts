/**
 * What one tunnel carries: our client and our server in two namespaces on one cable, iperf3 in both directions, and the bare
 * cable for comparison. Prints figures; claims nothing but that octets arrive.
 */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { addresses, type Concentrator, Site } from '../system/concentrator.io.ts';
import { iperf } from '../system/traffic.io.ts';

const seconds = Number(process.env.BENCH_SECONDS ?? 5);
const inner = '10.77.0.1';

const ways = [
  { name: 'clear', profile: 'use-encryption=no' },
  { name: 'MPPE-128 stateless', profile: 'use-encryption=required' },
  { name: 'clear, mrru=1600', profile: 'use-encryption=no', packets: 'mrru=1600' },
  { name: 'MPPE-128 stateless, mrru=1600', profile: 'use-encryption=required', packets: 'mrru=1600' },
] as const satisfies readonly { name: string; profile: string; packets?: string }[];

let site: Site;
let bareBps: number;

beforeAll(async () => {
  site = new Site('bench');
  bareBps = await tcp(addresses.server, 'up');
  console.log(`bare cable: ${megabits(bareBps)}`);
});

afterAll(() => site.remove());

for (const { name, profile, packets } of ways.map((way) => ({ packets: '', ...way }))) {
  it(`carries TCP, ${name}`, async () => {
    const server = await site.startServer(serverScript(profile, packets));
    const client = await startClient(packets);

    const up = await tcp(inner, 'up');
    const down = await tcp(inner, 'down');

    const ratio = (bps: number) => `${((100 * bps) / bareBps).toFixed(1)} % of the bare cable`;
    console.log(`${name}: up ${megabits(up)} (${ratio(up)}), down ${megabits(down)} (${ratio(down)})`);
    expect(Math.min(up, down)).toBeGreaterThan(0);
    await client.end();
    await server.end();
  });
}

async function startClient(packets: string): Promise<Concentrator> {
  const script = `/interface pptp-client add name=pptp-out1 connect-to=${addresses.server} user=bench password=bench disabled=no ${packets}`;
  const client = site.start(site.client, script);
  await client.line(/^pptp-out1: connected,/);
  return client;
}

function serverScript(profile: string, packets: string): string {
  return `/ppp profile add name=bench local-address=${inner} remote-address=10.77.0.2 ${profile}
/ppp secret add name=bench password=bench profile=bench
/interface pptp-server server set enabled=yes ${packets}`;
}

/** Bits per second that arrive. */
async function tcp(address: string, way: 'up' | 'down'): Promise<number> {
  const options = ['--time', String(seconds), ...(way === 'down' ? ['--reverse'] : [])];
  const octets = await iperf(site.client, site.server, address, ...options);
  return (8 * octets) / seconds;
}

function megabits(bps: number): string {
  return `${Math.round(bps / 1e6)} Mbit/s`;
}
