/**
 * Tells that configuration files may have been changed by somebody: an editor, a copy, Kubernetes putting a ConfigMap in place. Their
 * directories are watched, because most writers put a new file in the place of the old one. What is in the files is not read here.
 */

import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Log } from '../base/observe.ts';

/** Silence after which a writer is taken to have finished, in ms: half a script may be a whole one too. */
const settledMs = 500;

export interface Watch {
  close(): void;
}

/** Calls `changed` when something has been done to one of `files`, and some time has passed since. */
export function watchFiles(files: readonly string[], log: Log, changed: () => void): Watch {
  const names = new Set(files.map((file) => basename(file)));
  let settling: NodeJS.Timeout | undefined;
  const seen = (name: string | null): void => {
    // `..data` is what Kubernetes exchanges when it exchanges all files of a volume.
    if (name !== null && !names.has(name) && !name.startsWith('..')) return;
    clearTimeout(settling);
    settling = setTimeout(changed, settledMs);
  };
  const watchers = [...new Set(files.map((file) => dirname(file)))].flatMap((directory) =>
    watcherOf(directory, log, seen),
  );
  return {
    close() {
      clearTimeout(settling);
      for (const watcher of watchers) watcher.close();
    },
  };
}

function watcherOf(directory: string, log: Log, seen: (name: string | null) => void): readonly FSWatcher[] {
  const failed = (error: Error): void => {
    const hint = 'Send SIGHUP after a change.';
    log('warning', 'system', `changes in ${directory} are not noticed: ${error.message}`, { hint });
  };
  try {
    const watcher = watch(directory, (_, name) => seen(name));
    watcher.on('error', failed);
    return [watcher];
  } catch (error) {
    failed(error instanceof Error ? error : new Error(String(error)));
    return [];
  }
}
