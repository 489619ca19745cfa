/**
 * `export` and `import`: the configuration as a RouterOS script, on the terminal or in a file of the node. An import is one
 * change like any other: checked whole, then in force or not at all. Pure.
 */

import { Fault } from '../base/fault.ts';
import { optional, text } from '../base/kind.ts';
import { menu, type Row } from '../base/setting.ts';
import { type ExportForm, exportScript } from '../config/export.ts';
import { type Position, ScriptFault } from '../config/fault.ts';
import { parseScript } from '../config/script.ts';
import type { Source } from '../config/store.ts';
import { atRoot, type Command, type Desk } from './desk.ts';
import { documentOf } from './json.ts';
import { readOptions } from './options.ts';
import { ask, done } from './run.ts';

function option(help: string): Row<string | undefined> {
  return { kind: optional(text), default: undefined, applies: 'live', help };
}

const exportForms = {
  compact: 'Writes what is not default.',
  verbose: 'Writes all values, defaults too.',
  terse: 'Writes each command with its path, on one line.',
} as const;
const exportWords = {
  ...exportForms,
  'show-sensitive': 'Writes passwords too.',
  'hide-sensitive': 'Writes no passwords, which is so without a word.',
} as const;
const exportRows = menu({
  path: '/export',
  kind: 'settings',
  help: '',
  rows: { file: option('Name of the file to write; without it, to the terminal.') },
});

export const exporting: Command = {
  help: 'Writes the configuration of this menu and those below as a script.',
  takes: () => ({ words: exportWords, arguments: exportRows }),
  appliesTo: () => true,
  *run({ nodes, place, end }, { store, form, surroundings }) {
    const { said, values } = readOptions(nodes, { words: exportWords, arguments: exportRows });
    const { tree } = store.current;
    const path = `/${place.words.join(' ')}`;
    const menus = tree.menus.filter((menu) => path === '/' || `${menu.path} `.startsWith(`${path} `));
    const script = exportScript(
      { ...tree, menus },
      {
        form: [...said].findLast((word): word is ExportForm => word in exportForms),
        showSensitive: said.has('show-sensitive') && !said.has('hide-sensitive'),
      },
    );
    const whole = `${headerOf(surroundings)}${script}`;
    if (values.file !== undefined) {
      const name = fileNamed(values.file, end);
      yield* done((answer) => surroundings.scripts.write(name, whole, answer));
    } else yield form.json ? documentOf({ ret: whole }) : whole;
  },
};

/** `# 2026-11-21 14:03:33 by pptp-concentrator 0.1.0`, as RouterOS begins an export; in UTC. */
function headerOf({ clock, version, identity }: Desk['surroundings']): string {
  const time = new Date(clock.wallMs()).toISOString().replace('T', ' ').slice(0, 19);
  return `# ${time} by pptp-concentrator ${version}\n# node = ${identity}\n#\n`;
}

const importWords = {
  verbose: 'Shows the script.',
  'dry-run': 'Checks the script, and changes nothing.',
} as const;
const importRows = menu({
  path: '/import script',
  kind: 'settings',
  help: '',
  rows: { fileName: option('Name of the file, as export wrote it.') },
});

export const importing: Command = {
  help: 'Does all commands of a script, or none if one is wrong.',
  takes: () => ({ words: importWords, arguments: importRows }),
  appliesTo: atRoot,
  *run({ nodes, end }, { store, commit, form, surroundings: { scripts } }) {
    const accepted = { words: importWords, arguments: importRows, unnamed: 'fileName' } as const;
    const { said, values } = readOptions(nodes, accepted);
    if (values.fileName === undefined) {
      const hint = 'Say which script.';
      throw new ScriptFault('CONFIG_VALUE', end, 'missing value(s) of argument(s) file-name', hint);
    }
    const name = fileNamed(values.fileName, end);
    const script = yield* ask<Source | Fault>((answer) => scripts.read(name, answer));
    if (script instanceof Fault) throw script;
    if (said.has('verbose') && !form.json) yield script.text;
    const candidate = store.propose(parseScript(script.text, name, store.root));
    if (!said.has('dry-run')) yield* done((answer) => commit(candidate, answer));
    const words = 'Script file loaded and executed successfully';
    if (form.json) yield documentOf({ ret: words });
    else yield said.has('dry-run') ? 'Script file loaded, nothing is wrong in it\n' : `${words}\n`;
  },
};

/** A name without a directory, so that it stays where the node keeps such files; `.rsc` need not be typed. */
function fileNamed(typed: string, at: Position): string {
  if (!/^[\w+@%,=-][\w.+@%,=-]*$/.test(typed) || typed.length > 128) {
    const hint = 'A name of letters, digits and dots, without a directory.';
    throw new ScriptFault('CONFIG_VALUE', at, 'failure: bad file name', hint);
  }
  return typed.endsWith('.rsc') ? typed : `${typed}.rsc`;
}
