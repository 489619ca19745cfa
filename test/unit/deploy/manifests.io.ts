/**
 * The manifests as a cluster would get them: rendered by the real kubectl and Helm, read as values, and held against the schemas
 * of Kubernetes and of the Prometheus operator, without a cluster.
 *
 *     const objects = kustomize('deploy/kubernetes/overlays/single');
 *     const same = helm(['--set', 'shard=a']);
 *     expect(objects.flatMap(faultsOf)).toEqual([]);
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

export const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const renderers = join(root, 'build/renderers');

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** The objects that `kubectl apply -k` would send; `components` are put on top. */
export function kustomize(folder: string, components: readonly string[] = []): Manifest[] {
  const overlay = mkdtempSync(join(tmpdir(), 'kustomize-'));
  try {
    const from = (path: string): string => relative(overlay, join(root, path));
    const kustomization = {
      resources: [from(folder)],
      components: components.map((name) => from(join('deploy/kubernetes/components', name))),
    };
    // JSON is YAML.
    writeFileSync(join(overlay, 'kustomization.yaml'), JSON.stringify(kustomization));
    return objectsIn(run('kubectl', 'kustomize', overlay));
  } finally {
    rmSync(overlay, { recursive: true });
  }
}

/** The objects of a release in the namespace `pptp`. Throws with Helm's words if it refuses the values. */
export function helm(values: readonly string[] = []): Manifest[] {
  return objectsIn(
    run('helm', 'template', 'pptp', join(root, 'deploy/helm'), '--namespace', 'pptp', ...values),
  );
}

/** What Helm itself has to say of the chart; throws if it is an error or a warning. */
export function lintedChart(): string {
  return run('helm', 'lint', '--strict', '--quiet', join(root, 'deploy/helm'));
}

function run(program: 'kubectl' | 'helm', ...args: readonly string[]): string {
  return execFileSync(join(renderers, program), args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

export function objectsIn(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document) => {
      if (document.errors.length > 0) throw document.errors[0];
      return document.toJS();
    })
    .filter((object) => object !== null)
    .map((object) => (object.kind === 'Secret' ? { ...object, data: unfolded(object.data) } : object));
}

/** Base64 on one line: Kustomize breaks it, and the API server takes either. */
function unfolded(data: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([name, text]) => [name, text.replaceAll('\n', '')]));
}

/** Its `validate` throws what the schema has against the object that it is called on. */
interface Model {
  readonly prototype: { validate(): void };
}

const core = 'kubernetes-models';
const operator = '@kubernetes-models/prometheus-operator';

/** Loaded by name: the packages' own declarations do not stand up to our compiler's settings, and one function is all that is used. */
async function modelOf(from: string, version: string, kind: string): Promise<readonly [string, Model]> {
  const exported: Readonly<Record<string, Model>> = await import(`${from}/${version}/${kind}`);
  const model = exported[kind];
  if (model === undefined) throw new Error(`${from} has no ${kind}`);
  return [`${version} ${kind}`, model];
}

const models = new Map(
  await Promise.all([
    modelOf(core, 'v1', 'ConfigMap'),
    modelOf(core, 'v1', 'Namespace'),
    modelOf(core, 'v1', 'Secret'),
    modelOf(core, 'v1', 'ServiceAccount'),
    modelOf(core, 'apps/v1', 'DaemonSet'),
    modelOf(core, 'rbac.authorization.k8s.io/v1', 'ClusterRole'),
    modelOf(core, 'rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'),
    modelOf(operator, 'monitoring.coreos.com/v1', 'PodMonitor'),
    modelOf(operator, 'monitoring.coreos.com/v1', 'PrometheusRule'),
  ]),
);

/** What is wrong with an object: values that its schema refuses, and fields that its schema does not know. */
export function faultsOf(object: Manifest): string[] {
  const { apiVersion, kind, metadata } = object;
  const model = models.get(`${apiVersion} ${kind}`);
  if (model === undefined) return [`${kind} ${metadata.name}: nobody knows ${apiVersion} ${kind}`];
  const faults: string[] = [];
  const unread = new Set<string>();
  try {
    model.prototype.validate.call(watched(object, '', unread));
  } catch (error) {
    faults.push(String(error));
  }
  faults.push(...Array.from(unread, (path) => `${path} is unknown`));
  return faults.map((fault) => `${kind} ${metadata.name}: ${fault}`);
}

/**
 * The schemas let unknown fields pass, and a misspelt one would be dropped by the API server without a word. But a schema looks at each
 * field that it knows: `unread` is left with the paths of those that nobody has looked at.
 */
function watched(value: unknown, path: string, unread: Set<string>): unknown {
  if (value === null || typeof value !== 'object') return value;
  const children = new Map(
    Object.entries(value).map(([name, child]) => {
      const at = `${path}/${name}`;
      unread.add(at);
      return [name, watched(child, at, unread)];
    }),
  );
  return new Proxy(value, {
    get(target, name) {
      if (typeof name === 'symbol' || !children.has(name)) return Reflect.get(target, name);
      unread.delete(`${path}/${name}`);
      return children.get(name);
    },
  });
}
