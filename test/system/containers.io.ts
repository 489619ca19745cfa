/**
 * Containers of podman on the network of a namespace, with a storage of their own that vanishes with them. Images come from no registry:
 * what `FROM` names is made of Debian's and npm's packages under the same name.
 *
 *     const containers = new Containers(site.server);
 *     await containers.makeBases();
 *     await containers.build('deploy/Dockerfile', 'engine', 'pptp-concentrator/engine:0.1.0');
 *     await containers.podman('run', '--detach', '--name', 'engine', '--network', 'host', …);
 *     containers.statusOf('engine', 'CapEff');
 *     await containers.remove();
 *
 * `--network host` is the namespace's network. Needs root and the packages of `deploy/prepare.sh soak`.
 */

import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Namespace } from '../netns/namespaces.io.ts';
import { within } from './within.io.ts';

const run = promisify(execFile);
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const dockerfile = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8');
const standIns = join(root, 'test/system/stand-ins.Dockerfile');
/** What a build may say, in octets. */
const outputMax = 64 * 1024 * 1024;
/** The npm that came with the Node of deploy/Dockerfile. */
const npmVersion = '10.8.2';

/** As the slim image: without what nobody reads in a container. */
const unread = ['doc', 'info', 'lintian', 'locale', 'man'].map(
  (folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`,
);

/** Node as its makers pack it, below $1; $2 is its package, $3 npm's version. */
const unpackNode = `set -e
cd "$1"
npm pack --silent "$2" "npm@$3" >/dev/null
mkdir -p local/lib/node_modules/npm
tar -xzf node-*.tgz --strip-components=1 -C local
tar -xzf npm-*.tgz --strip-components=1 -C local/lib/node_modules/npm
ln -s ../lib/node_modules/npm/bin/npm-cli.js local/bin/npm`;

export class Containers {
  readonly directory = mkdtempSync(join(tmpdir(), 'containers-'));
  readonly #namespace: Namespace;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #socket = join(this.directory, 'podman.sock');
  /** What both images begin with. */
  readonly #debian = /debian:\S+/.exec(dockerfile)?.[0] ?? '';
  #service: ChildProcess | undefined;

  constructor(namespace: Namespace) {
    this.#namespace = namespace;
    const own = (name: string, text: string): string => {
      const path = join(this.directory, name);
      writeFileSync(path, text);
      return path;
    };
    this.#environment = {
      ...process.env,
      CONTAINERS_CONF: own('containers.conf', configuration(this.directory)),
      CONTAINERS_STORAGE_CONF: own('storage.conf', storage(this.directory)),
      DOCKER_HOST: `unix://${this.#socket}`,
    };
  }

  /** Makes the images that deploy/Dockerfile begins with. */
  async makeBases(): Promise<void> {
    const [node = '', version] = /node:([\d.]+)\S*/.exec(dockerfile) ?? [];
    const archive = join(this.directory, 'debian.tar');
    const hooks = '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr';
    await this.#run('mmdebstrap', '--quiet', '--variant=minbase', hooks, ...unread, 'bookworm', archive);
    await this.podman('import', archive, inRegistry(this.#debian));
    rmSync(archive);

    const unpacked = join(this.directory, 'node');
    mkdirSync(unpacked);
    const packed = `node-linux-${process.arch}@${version}`;
    await this.#run('sh', '-c', unpackNode, 'unpack', unpacked, packed, npmVersion);
    await this.#buildStandIn('node', node, join(unpacked, 'local'));
  }

  /** Makes the image that a registry would give for `name`; `target` is the stage of stand-ins.Dockerfile. */
  async makeStandIn(target: string, name: string): Promise<void> {
    const nothing = join(this.directory, 'nothing');
    mkdirSync(nothing, { recursive: true });
    await this.#buildStandIn(target, name, nothing);
  }

  async #buildStandIn(target: string, name: string, context: string): Promise<void> {
    const debian = `--build-arg=DEBIAN=${this.#debian}`;
    const what = [debian, '--file', standIns, '--target', target, '--tag', inRegistry(name)];
    await this.#run('podman', 'build', '--network', 'host', ...what, context);
  }

  /** Builds a target of a file of this checkout, on the machine's own network and with what its npm trusts. */
  async build(file: string, target: string, name: string): Promise<void> {
    const what = ['--file', join(root, file), '--target', target, '--tag', name];
    await this.#run('podman', 'build', '--network', 'host', ...(await this.#npmMounts()), ...what, root);
  }

  /** Runs podman to its end. Returns what it printed; rejects with what it said if it fails. */
  async podman(...words: readonly string[]): Promise<string> {
    return await this.#run(...this.#inside('podman', ...words));
  }

  /** Runs the older Docker Compose, which talks to podman, on a file in JSON; paths are as from `folder` of this checkout. */
  async compose(folder: string, project: string, file: object, ...words: readonly string[]): Promise<string> {
    await this.#serve();
    const path = join(this.directory, 'compose.json');
    writeFileSync(path, JSON.stringify(file));
    const where = ['--project-directory', join(root, folder), '--project-name', project, '--file', path];
    return await this.#run('docker-compose', ...where, ...words);
  }

  /** A line of /proc/PID/status of the first process of a container. */
  async statusOf(name: string, field: string): Promise<string> {
    const pid = (await this.podman('inspect', '--format', '{{.State.Pid}}', name)).trim();
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
  }

  /** Ends all containers, and leaves nothing of them. */
  async remove(): Promise<void> {
    if (this.#service?.exitCode === null) {
      this.#service.kill();
      await once(this.#service, 'exit');
    }
    await this.podman('rm', '--all', '--force', '--time', '0');
    // Of images that a failed build was working on.
    await this.podman('rmi', '--all', '--force');
    removeGroups('/sys/fs/cgroup');
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Has podman hear what Docker would. */
  async #serve(): Promise<void> {
    if (this.#service !== undefined) return;
    const [file, ...words] = this.#inside(
      'podman',
      'system',
      'service',
      '--time',
      '0',
      `unix://${this.#socket}`,
    );
    this.#service = spawn(file, words, { env: this.#environment, stdio: 'ignore' });
    await within(10_000)(() => existsSync(this.#socket), 'podman hears');
  }

  /** Of the namespace only its network: mounts have to be where podman finds them again. */
  #inside(...command: readonly string[]): [file: string, ...words: string[]] {
    return ['nsenter', `--net=/run/netns/${this.#namespace.name}`, ...command];
  }

  async #run(file: string, ...words: readonly string[]): Promise<string> {
    const { stdout } = await run(file, words, { env: this.#environment, maxBuffer: outputMax });
    return stdout;
  }

  /** A machine behind a proxy has authorities of its own: a build gets them from outside, and keeps nothing. */
  async #npmMounts(): Promise<string[]> {
    const authorities = (await this.#run('npm', 'config', 'get', 'cafile')).trim();
    if (authorities === 'null') return [];
    const settings = join(this.directory, 'npmrc');
    writeFileSync(settings, `cafile=${authorities}\n`);
    return [`--volume=${authorities}:${authorities}:ro`, `--volume=${settings}:/usr/local/etc/npmrc:ro`];
  }
}

/** As short names are looked up. */
function inRegistry(name: string): string {
  return name.includes('/') ? `docker.io/${name}` : `docker.io/library/${name}`;
}

const storage = (directory: string): string => `[storage]
driver = "overlay"
graphroot = "${directory}/storage"
runroot = "${directory}/run"
`;

/** runc, as Docker and Kubernetes have it. */
function configuration(directory: string): string {
  const limit = (letter: string): number => {
    const said = execFileSync('sh', ['-c', `ulimit -H${letter}`], { encoding: 'utf8' }).trim();
    return said === 'unlimited' ? Number.POSITIVE_INFINITY : Number(said);
  };
  // By itself podman asks for more files than who may not raise his limits gets; its own processes it limits to what pids there are.
  const files = Math.min(limit('n'), 1_048_576);
  const processes = Math.min(limit('p'), Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8')));
  return `[containers]
default_ulimits = ["nofile=${files}:${files}", "nproc=${processes}:${processes}"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "${directory}/libpod"
`;
}

/** Control groups of podman's that have nobody in them, in all hierarchies. */
function removeGroups(mount: string): void {
  for (const parent of [mount, ...readdirSync(mount).map((name) => join(mount, name))]) {
    for (const group of ['libpod_parent/conmon', 'libpod_parent']) {
      try {
        rmdirSync(join(parent, group));
      } catch {
        // It is not in this hierarchy, or others have containers in it.
      }
    }
  }
}
