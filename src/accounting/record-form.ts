/** The forms in which records are kept, in the journal and in Redis alike. Names are those of the types: people read them. */

import type { NasIdentity, SessionIdentity } from '../aaa/identity.ts';
import type { SentRequest } from '../radius/query.ts';
import { type Form, large, listOf, maybe, objectOf, octets, text, unionOf, whole, word } from './form.ts';
import type { AccountingRecord, Interim, NodeRecord, SessionFacts, Start, Stop, Usage } from './record.ts';

const nasForm = objectOf<NasIdentity>({ identifier: text, address: maybe(whole) });

const identityForm = objectOf<SessionIdentity>({
  nas: nasForm,
  sessionId: text,
  nasPort: whole,
  nasPortId: text,
  peerAddress: whole,
  localAddress: whole,
  connectInfo: text,
});

export const factsForm = objectOf<SessionFacts>({
  identity: identityForm,
  user: text,
  authentic: word('local', 'radius'),
  framedAddress: whole,
  classes: listOf(octets),
});

export const usageForm = objectOf<Usage>({
  receivedOctets: large,
  transmittedOctets: large,
  receivedPackets: large,
  transmittedPackets: large,
});

const ofSession = { facts: factsForm, atMs: whole };
const ofUse = { ...ofSession, uptimeMs: whole, usage: usageForm };
const ofNode = objectOf<Omit<NodeRecord, 'kind'>>({ nas: nasForm, sessionId: text, atMs: whole });

export const recordForm: Form<AccountingRecord> = unionOf<'kind', AccountingRecord>('kind', {
  start: objectOf<Omit<Start, 'kind'>>(ofSession),
  interim: objectOf<Omit<Interim, 'kind'>>(ofUse),
  stop: objectOf<Omit<Stop, 'kind'>>({ ...ofUse, terminateCause: whole }),
  on: ofNode,
  off: ofNode,
});

export const sentForm = objectOf<SentRequest>({ server: text, port: whole, octets });
