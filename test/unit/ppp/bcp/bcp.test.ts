/** The laws of BCP within a bundle, with a peer made by hand. */

import { describe, expect, it } from 'vitest';
import { parseIpv4 } from '../../../../src/base/ip.ts';
import { Bundle, type BundleEffect, type BundleSettings } from '../../../../src/ppp/bundle.ts';
import { bcpProtocol, ccpProtocol, ipcpProtocol } from '../../../../src/ppp/protocol.ts';
import { packet, sent, those } from '../peer.ts';

const local = parseIpv4('10.0.0.1') ?? 0;
const remote = parseIpv4('10.0.0.2') ?? 0;

/** Our request: Ethernet, with VLAN tags, BPDUs inline. */
const ours = '0303010803010902';
const mppe = '120601000040';
const takesNothing = { taggedFrames: false, inlineManagement: false, controlIndicator: false };

function begun(settings: Partial<BundleSettings> = {}) {
  const bundle = new Bundle({
    encryption: 'no',
    strengths: new Set([128]),
    stateful: 'never',
    keysAvailable: true,
    addresses: { local, remote, dns: [], wins: [], askDns: false },
    bridging: true,
    ...settings,
  });
  return {
    bundle,
    first: bundle.up(),
    ccp: (text: string) => bundle.received(ccpProtocol, packet(text)),
    ipcp: (text: string) => bundle.received(ipcpProtocol, packet(text)),
    bcp: (text: string) => bundle.received(bcpProtocol, packet(text)),
  };
}

/** Both networks are up. */
function bridged(settings: Partial<BundleSettings> = {}) {
  const made = begun(settings);
  if (settings.encryption === 'required') {
    made.ccp(`Configure-Request 9 ${mppe}`);
    made.ccp(`Configure-Ack 1 ${mppe}`);
  }
  made.ipcp('Configure-Request 1 03060a000002');
  made.ipcp('Configure-Ack 1 03060a000001');
  made.bcp('Configure-Request 1');
  const effects = made.bcp(`Configure-Ack 1 ${ours}`);
  expect(those(effects, 'bridge-up')).toHaveLength(1);
  return made;
}

const ofBcp = (effects: readonly BundleEffect[]) => sent(effects).filter((each) => each.startsWith('BCP'));

describe('BCP', () => {
  it('asks beside IPCP, and is up whatever becomes of that first', () => {
    const { first, bcp } = begun();
    expect(sent(first)).toEqual(['IPCP Configure-Request 1 03060a000001', `BCP Configure-Request 1 ${ours}`]);

    expect(sent(bcp('Configure-Request 7'))).toEqual(['BCP Configure-Ack 7']);
    expect(those(bcp(`Configure-Ack 1 ${ours}`), 'bridge-up')).toEqual([
      { do: 'bridge-up', peerTakes: takesNothing },
    ]);
  });

  it('is not spoken where LANs are not bridged', () => {
    const { first, bcp } = begun({ bridging: false });

    expect(ofBcp(first)).toEqual([]);
    const bytes = packet('Configure-Request 7');
    expect(bcp('Configure-Request 7')).toEqual([{ do: 'protocol-reject', protocol: bcpProtocol, bytes }]);
  });

  it.each([
    ['tags', '080301', { ...takesNothing, taggedFrames: true }],
    ['no tags', '080302', takesNothing],
    ['BPDUs', '0902', { ...takesNothing, inlineManagement: true }],
    ['BPDUs, with an octet more', '090301', { ...takesNothing, inlineManagement: true }],
    ['marked BPDUs', '09020a02', { ...takesNothing, inlineManagement: true, controlIndicator: true }],
    ['an address and tinygrams', '06080200000000010403010303 01', takesNothing],
  ])('learns that the peer takes %s', (_name, options, peerTakes) => {
    const { bcp } = begun();
    const wish = options.replace(' ', '');

    expect(sent(bcp(`Configure-Request 7 ${wish}`))).toEqual([`BCP Configure-Ack 7 ${wish}`]);
    expect(those(bcp(`Configure-Ack 1 ${ours}`), 'bridge-up')).toEqual([{ do: 'bridge-up', peerTakes }]);
  });

  it.each([
    ['source routing', '01040011'],
    ['the LAN-Identification that is obsolete', '050301'],
    ['BPDUs in the format of old', '070301'],
    ['a token ring', '030303'],
    ['to be given an address', '0608000000000000'],
    ["a group's address", '0608010000000001'],
  ])('rejects %s', (_name, option) => {
    const { bcp } = begun();

    expect(sent(bcp(`Configure-Request 7 ${option}0902`))).toEqual([`BCP Configure-Reject 7 ${option}`]);
  });

  it('takes one of several MAC types, Ethernet', () => {
    const { bcp } = begun();

    expect(sent(bcp('Configure-Request 7 030301030303'))).toEqual(['BCP Configure-Reject 7 030303']);
  });

  it('asks without what the peer rejects', () => {
    const { bcp } = begun();

    expect(sent(bcp('Configure-Reject 1 030301'))).toEqual(['BCP Configure-Request 2 0803010902']);
    expect(sent(bcp('Configure-Reject 2 0902'))).toEqual(['BCP Configure-Request 3 080301']);
    expect(sent(bcp('Configure-Nak 3 080302'))).toEqual(['BCP Configure-Request 4']);
  });

  it('waits for CCP, and answers then what the peer asked before', () => {
    const { first, ccp, bcp } = begun({ encryption: 'required' });
    expect(ofBcp(first)).toEqual([]);

    ccp(`Configure-Request 9 ${mppe}`);
    expect(bcp('Configure-Request 7')).toEqual([{ do: 'note', what: 'held' }]);
    expect(bcp('Configure-Ack 1')).toEqual([{ do: 'note', what: 'refused' }]);

    expect(ofBcp(ccp(`Configure-Ack 1 ${mppe}`))).toEqual([
      `BCP Configure-Request 1 ${ours}`,
      'BCP Configure-Ack 7',
    ]);
  });

  it('lets nothing pass while keys are agreed anew', () => {
    const { ccp } = bridged({ encryption: 'required' });

    const anew = ccp(`Configure-Request 10 ${mppe}`);
    expect(those(anew, 'bridge-down')).toHaveLength(1);

    expect(those(ccp(`Configure-Ack 2 ${mppe}`), 'bridge-up')).toHaveLength(1);
  });

  it('that the peer does not speak leaves IPv4 as it is', () => {
    const { bundle, ipcp } = begun();

    expect(bundle.protocolRejected(bcpProtocol)).toEqual([
      { do: 'disarm', timer: 'bcp' },
      { do: 'bridge-finished', cause: 'rejected' },
    ]);
    ipcp('Configure-Request 1 03060a000002');
    expect(those(ipcp('Configure-Ack 1 03060a000001'), 'network-up')).toHaveLength(1);
  });

  it('that is never answered leaves IPv4 as it is, and may begin later', () => {
    const { bundle, bcp } = begun();

    const effects = Array.from({ length: 10 }, () => bundle.expired('bcp')).flat();
    expect(those(effects, 'bridge-finished')).toEqual([{ do: 'bridge-finished', cause: 'timeout' }]);
    expect(those(effects, 'failed')).toEqual([]);

    expect(ofBcp(bcp('Configure-Request 7'))).toEqual([
      `BCP Configure-Request 2 ${ours}`,
      'BCP Configure-Ack 7',
    ]);
    expect(those(bcp(`Configure-Ack 2 ${ours}`), 'bridge-up')).toHaveLength(1);
  });

  it('ends when the peer ends it, and IPv4 goes on', () => {
    const { bundle, bcp } = bridged();

    const effects = [...bcp('Terminate-Request 8'), ...bundle.expired('bcp')];

    expect(those(effects, 'bridge-down')).toHaveLength(1);
    expect(those(effects, 'bridge-finished')).toEqual([{ do: 'bridge-finished', cause: 'terminated' }]);
    expect(those(effects, 'network-down')).toEqual([]);
  });

  it('ends in order when this side cannot bridge', () => {
    const { bundle, bcp } = bridged();

    const effects = bundle.endBridging('no bridge');
    expect(sent(effects)).toEqual(['BCP Terminate-Request 2 6e6f20627269646765']);
    expect(those(effects, 'bridge-down')).toHaveLength(1);

    expect(those(bcp('Terminate-Ack 2'), 'bridge-finished')).toEqual([
      { do: 'bridge-finished', cause: 'closed' },
    ]);
    expect(ofBcp(bcp('Configure-Request 8'))).toEqual(['BCP Terminate-Ack 8']);
  });

  it('goes with its link', () => {
    const { bundle } = bridged();

    expect(those(bundle.down(), 'bridge-down')).toHaveLength(1);
  });
});
