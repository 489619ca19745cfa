/** Laws that only real clients can show: pppd with pptp-linux, and pppd on the kernel's own PPTP, PPP and MPPE drivers. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootGuest, haltGuests, inGuest, type LabServer, startServer } from './lab.ts';

const innerAddress = '10.77.0.1';
const configuration = `
/ip pool add name=subscribers ranges=10.77.1.0-10.77.3.255
/ppp profile add name=subscribers local-address=${innerAddress} remote-address=subscribers use-encryption=yes
/ppp secret add name=test password=test service=pptp profile=subscribers
/interface pptp-server server set enabled=yes authentication=pap,chap,mschap1,mschap2 default-profile=subscribers
`;

let server: LabServer;

beforeAll(async () => {
  await bootGuest();
  server = await startServer(configuration);
});

afterAll(async () => {
  await server?.end();
  await haltGuests();
});

describe('real clients', () => {
  it('come up and ping in every mode of the matrix, on both data paths', async () => {
    const { output } = await inGuest(`matrix 10.99.0.1 ${innerAddress}`);

    console.log(output);
    const rows = output.trim().split('\n');
    expect(rows).toHaveLength(20);
    for (const row of rows) expect(row).toMatch(/\bok [\d.]+ +ping yes/);
  });

  it('are up without waiting for a restart timer', async () => {
    for (const path of ['-k', '']) {
      const seconds: number[] = [];
      for (let attempt = 0; attempt < 5; attempt += 1) {
        const { output } = await inGuest(`client ${path} -i 0 10.99.0.1; clients-down >/dev/null`);
        expect(output).toMatch(/^ok /);
        seconds.push(Number(output.trim().split(/\s+/)[1]));
      }
      console.log(`set-up with ${path === '' ? 'pptp-linux' : 'the kernel path'}: ${seconds.join(' ')} s`);
    }
  });

  it('all come up when a hundred start at once', async () => {
    const { output, status } = await inGuest(
      'clients -n 100 -s -k 10.99.0.1; s=$?; clients-down >/dev/null; exit $s',
    );

    console.log(output);
    expect(status).toBe(0);
  });

  // One after the other: pptp-linux's call managers trip over each other when they start together.
  it('share one control connection when they call from one address', async () => {
    const { output, status } = await inGuest(
      'clients -n 10 -j 1 10.99.0.1; s=$?; clients-down >/dev/null; exit $s',
    );

    console.log(output);
    expect(status).toBe(0);
  });

  it.each(['', 'mpshortseq'])(
    'carry packets of 1500 octets in frames of 1400 with multilink %s',
    async (more) => {
      await server.end();
      server = await startServer(
        `${configuration}/interface pptp-server server set max-mtu=1400 max-mru=1400 mrru=1600\n`,
      );
      // pppd gives its interface no more than the `mtu` of the mode.
      const ping = `ip link set ppp0 mtu 1500; ping -q -i 0.1 -c 10 -M do -s 1472 ${innerAddress}`;
      const options = `multilink mrru 1600 ${more}`;
      const { output } = await inGuest(
        `client -k -m mppe128 -i 0 10.99.0.1 ${options}; ${ping}; clients-down >/dev/null; client -k -m mschapv2 -i 0 10.99.0.1 ${options}; ${ping}; clients-down >/dev/null`,
      );

      expect(output.match(/^ok /gm)).toHaveLength(2);
      expect(output.match(/10 packets transmitted, 10 received/g)).toHaveLength(2);
    },
  );

  it('are turned away with a clear reason when the password is wrong', async () => {
    const { output } = await inGuest('client -k -p wrong -i 0 10.99.0.1; grep -c "E=691" /tmp/log.0');

    expect(output).toMatch(/^fail /);
    expect(server.lines.some(({ msg }) => /authentication failed/.test(String(msg)))).toBe(true);
  });
});
