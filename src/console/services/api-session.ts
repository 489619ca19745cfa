/**
 * One program that speaks RouterOS's API: sentences enter, effects leave. First it logs in, then it may have several commands on
 * their way, told apart by their tags, and cancel them.
 *
 *     /login =name= =password=        since 6.43; before, /login alone is answered by a challenge
 *     /ppp/secret/print ?name=x =.proplist=.id,name .tag=7
 *     /cancel =tag=7
 *     /quit
 *
 * Replies are `!re`, `!done`, `!trap` and then `!done`, and `!fatal`, after which the connection ends. What has nothing to tell is
 * answered by `!done` alone: `!empty`, which RouterOS 7.18 puts before it, ends the programs of many older libraries, and those
 * that know it do without. Pure.
 */

import { toHex } from '../../base/bytes.ts';
import { Fault } from '../../base/fault.ts';
import type { Ipv4 } from '../../base/ip.ts';
import type { Random } from '../../base/random.ts';
import type { Sentence } from './api-words.ts';
import { type Asked, perform } from './commands.ts';
import { type Flow, type ServiceDesk, serviceFault, wordsOf } from './desk.ts';
import type { Row } from './row.ts';
import { type Gate, type Proof, servicesTally } from './users.ts';

/** Commands that one connection has on their way: each may hold a list while it is read. */
const commandsMax = 64;
/** Logins that one connection may try. */
const loginsMax = 3;
/** As many as RouterOS's. */
const challengeOctets = 16;

export type Effect =
  | { readonly do: 'send'; readonly sentence: Sentence }
  /** To be driven until it ends, its rows told to `toldBy`; `ended` when it has. */
  | { readonly do: 'start'; readonly command: number; readonly flow: Flow }
  | { readonly do: 'stop'; readonly command: number }
  /** After all that was sent. */
  | { readonly do: 'hang-up' };

export interface ApiPorts {
  readonly gate: Gate;
  readonly desk: ServiceDesk;
  readonly random: Random;
  /** The program's address. */
  readonly from: Ipv4;
  readonly via: 'api' | 'api-ssl';
}

/** A sentence, by what its words are. */
interface Heard extends Asked {
  readonly command: string;
  readonly tag: string | undefined;
}

export class ApiSession {
  readonly #ports: ApiPorts;
  #user: string | undefined;
  #challenge: Uint8Array | undefined;
  #logins = 0;
  #lastCommand = 0;
  #isOver = false;
  /** Tags of the commands on their way. */
  readonly #tags = new Map<number, string | undefined>();

  constructor(ports: ApiPorts) {
    this.#ports = ports;
  }

  /** Who has logged in. */
  get user(): string | undefined {
    return this.#user;
  }

  received(sentence: Sentence): readonly Effect[] {
    if (this.#isOver) return [];
    const tag = tagOf(sentence);
    try {
      return this.#heard(read(sentence, tag));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return refusal(error, tag);
    }
  }

  /** The row of a command. */
  toldBy(command: number, row: Row): Sentence {
    return reply('!re', this.#tags.get(command), row);
  }

  /** The command has come to its end. */
  ended(command: number, result: string | undefined, fault: Fault | undefined): readonly Effect[] {
    const tag = this.#tags.get(command);
    this.#tags.delete(command);
    return fault === undefined ? [done(tag, result)] : refusal(fault, tag);
  }

  /** The stream makes no sense any more. */
  malformed(why: string): readonly Effect[] {
    return this.#fatal(why);
  }

  #heard(heard: Heard): readonly Effect[] {
    if (heard.command === '/quit') return this.#fatal('session terminated on request');
    if (heard.command === '/login') return this.#login(heard);
    const rights =
      this.#user === undefined ? undefined : this.#ports.gate.rights(this.#user, this.#ports.from);
    if (rights === undefined) return this.#fatal('not logged in');
    if (heard.command === '/cancel') return this.#cancel(heard);
    if (this.#tags.size === commandsMax) {
      servicesTally.add('tooMany');
      throw serviceFault('SERVICE_API', 'too many commands', `${commandsMax} are on their way: cancel some.`);
    }
    this.#lastCommand += 1;
    this.#tags.set(this.#lastCommand, heard.tag);
    return [{ do: 'start', command: this.#lastCommand, flow: perform(heard, rights, this.#ports.desk) }];
  }

  #login({ arguments: given, tag }: Heard): readonly Effect[] {
    const name = given.get('name');
    const challenge = this.#challenge;
    this.#challenge = undefined;
    if (name === undefined) {
      this.#challenge = this.#ports.random(challengeOctets);
      return [done(tag, toHex(this.#challenge))];
    }
    const { gate, from, via } = this.#ports;
    this.#logins += 1;
    if (gate.admits(name, proofIn(given, challenge), from, via)) {
      this.#user = name;
      return [done(tag, undefined)];
    }
    if (this.#logins === loginsMax) return this.#fatal('invalid user name or password (6)');
    return refusal(serviceFault('SERVICE_API', 'invalid user name or password (6)', 'See the log.'), tag);
  }

  /** Of the command that `tag` names, or of all. Each is told that it was, and the canceller then that it is done. */
  #cancel({ arguments: given, tag }: Heard): readonly Effect[] {
    const wanted = given.get('tag');
    const meant = [...this.#tags].filter(([, each]) => wanted === undefined || each === wanted);
    const effects = meant.flatMap(([command, each]): Effect[] => {
      this.#tags.delete(command);
      return [{ do: 'stop', command }, trap('2', 'interrupted', each), done(each, undefined)];
    });
    return [...effects, done(tag, undefined)];
  }

  #fatal(why: string): readonly Effect[] {
    this.#isOver = true;
    const commands = Array.from(this.#tags.keys(), (command): Effect => ({ do: 'stop', command }));
    this.#tags.clear();
    return [...commands, { do: 'send', sentence: ['!fatal', why] }, { do: 'hang-up' }];
  }
}

function proofIn(given: ReadonlyMap<string, string>, challenge: Uint8Array | undefined): Proof {
  const response = given.get('response');
  if (response === undefined || challenge === undefined) return { password: given.get('password') ?? '' };
  return { challenge, response };
}

function tagOf(sentence: Sentence): string | undefined {
  return sentence.find((word) => word.startsWith('.tag='))?.slice('.tag='.length);
}

/** What `sentence` says. Throws a `Fault` if a word of it is none. */
function read([command = '', ...words]: Sentence, tag: string | undefined): Heard {
  const given = new Map<string, string>();
  const query: string[] = [];
  for (const word of words) {
    const [, name, text] = /^=?([^=]+)=(.*)$/s.exec(word) ?? [];
    if (word.startsWith('?')) query.push(word.slice(1));
    else if (word.startsWith('.tag=')) continue;
    else if (name === undefined || text === undefined || !/^[=.]/.test(word)) {
      throw serviceFault('SERVICE_API', `unknown word ${word}`, 'Words are =name=value, ?query and .tag=.');
    } else given.set(name, text);
  }
  if (!command.startsWith('/'))
    throw serviceFault('SERVICE_COMMAND', 'no such command', 'A command begins with /.');
  const path = command.slice(1).split('/');
  return { command, tag, verb: path.pop() ?? '', path, arguments: given, query };
}

function reply(word: '!re' | '!done' | '!trap', tag: string | undefined, attributes: Row): Sentence {
  const pairs = Object.entries(attributes).map(([name, text]) => `=${name}=${text}`);
  return [word, ...(tag === undefined ? [] : [`.tag=${tag}`]), ...pairs];
}

function done(tag: string | undefined, ret: string | undefined): Effect {
  return { do: 'send', sentence: reply('!done', tag, ret === undefined ? {} : { ret }) };
}

function trap(category: string, message: string, tag: string | undefined): Effect {
  return { do: 'send', sentence: reply('!trap', tag, { category, message }) };
}

/** RouterOS's categories: 0 no such command or item, 1 an argument, 4 whatever else, 5 the API itself. */
const categories: Readonly<Record<string, string>> = {
  SERVICE_COMMAND: '0',
  SERVICE_ITEM: '0',
  SERVICE_VALUE: '1',
  CONFIG_VALUE: '1',
  CONFIG_REFERENCE: '1',
  SERVICE_API: '5',
};

function refusal(fault: Fault, tag: string | undefined): readonly Effect[] {
  return [trap(categories[fault.code] ?? '4', wordsOf(fault), tag), done(tag, undefined)];
}
