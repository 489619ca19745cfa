/** Kubernetes: both ways of rendering give the same objects, the schemas know every field of them, and they ask for no more than is needed. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readOptions } from '../../../src/composition/options.ts';
import { configurationOf, menus } from '../../../src/config/configuration.ts';
import { Store } from '../../../src/config/store.ts';
import { faultsOf, helm, kustomize, lintedChart, type Manifest, root } from './manifests.io.ts';

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: readonly { readonly name: string }[];
  readonly ports?: readonly { readonly containerPort: number; readonly protocol: string }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
}

interface Pod {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly hostNetwork: boolean;
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly volumes: readonly { readonly name: string; readonly hostPath?: { readonly path: string } }[];
}

interface DaemonSet extends Manifest {
  readonly spec: {
    readonly updateStrategy: { readonly type: string };
    readonly template: { readonly metadata: object; readonly spec: Pod };
  };
}

const single = kustomize('deploy/kubernetes/overlays/single');
const shards = kustomize('deploy/kubernetes/overlays/shards');

function podOf(name: string, objects = single): Pod {
  const found = objects.find((object) => object.kind === 'DaemonSet' && object.metadata.name === name);
  if (found === undefined) throw new Error(`there is no DaemonSet ${name}`);
  return (found as DaemonSet).spec.template.spec;
}

/** In an order of their own. */
function comparable(objects: readonly Manifest[]) {
  return [...objects].sort((one, other) => idOf(one).localeCompare(idOf(other)));
}

const idOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.name}`;

const decoded = (data: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([name, text]) => [name, atob(text)]));

describe('Kustomize and Helm', () => {
  // A chart cannot hold the namespace that it is installed into.
  const within = (objects: readonly Manifest[]) =>
    comparable(objects.filter(({ kind }) => kind !== 'Namespace'));

  test('render the same objects', () => {
    expect(comparable(helm())).toEqual(within(single));
  });

  test('render the same objects for shards', () => {
    const [a, b] = [
      helm(['--set', 'shard=a']),
      helm(['--set', 'shard=b,licence=level4,prometheusRule=false']),
    ];

    expect(comparable([...a, ...b])).toEqual(within(shards));
  });

  test('render the same objects where the container runtime gives no device, and where updates roll', () => {
    const values = ['--set', 'engine.privileged=true,updateStrategy=RollingUpdate'];

    expect(comparable(helm(values))).toEqual(
      within(kustomize('deploy/kubernetes/overlays/single', ['privileged', 'rolling'])),
    );
  });

  test('the chart pleases Helm, and refuses values that it does not know', () => {
    expect(() => lintedChart()).not.toThrow();
    expect(() => helm(['--set', 'licence=level7'])).toThrow(/licence/);
    expect(() => helm(['--set', 'engine.priviledged=true'])).toThrow(/priviledged/);
  });
});

describe('schemas', () => {
  test('know every field and take every value', () => {
    expect([...single, ...shards].flatMap(faultsOf)).toEqual([]);
  });

  test('are strict: a misspelt field, a wrong type and a missing selector are found', () => {
    const [engine] = single.filter(({ metadata }) => metadata.name === 'pptp-engine');
    const broken = structuredClone(engine) as unknown as {
      spec: { selector?: unknown; minReadySeconds?: unknown; template: { spec: Record<string, unknown> } };
    };
    delete broken.spec.selector;
    broken.spec.minReadySeconds = 'soon';
    broken.spec.template.spec.hostNetwrok = true;

    const faults = faultsOf(broken as unknown as Manifest).join('\n');

    expect(faults).toMatch(/selector/);
    expect(faults).toMatch(/minReadySeconds/);
    expect(faults).toMatch(/hostNetwrok is unknown/);
  });
});

describe('pods', () => {
  const [engine, control] = [podOf('pptp-engine'), podOf('pptp-control')];

  test('the engine has two capabilities and one device, control and its preparation have none', () => {
    const rights = [...engine.containers, ...(control.initContainers ?? []), ...control.containers].map(
      ({ name, securityContext: { capabilities, runAsUser, privileged, readOnlyRootFilesystem } }) => ({
        name,
        capabilities,
        runAsUser,
        privileged,
        readOnlyRootFilesystem,
      }),
    );

    const common = { privileged: false, readOnlyRootFilesystem: true };
    expect(rights).toEqual([
      {
        ...common,
        name: 'engine',
        runAsUser: 0,
        capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'NET_RAW'] },
      },
      { ...common, name: 'directories', runAsUser: 0, capabilities: { drop: ['ALL'] } },
      { ...common, name: 'control', runAsUser: 9723, capabilities: { drop: ['ALL'] } },
    ]);
    const directories = ({ volumes }: Pod) => volumes.flatMap(({ hostPath }) => hostPath?.path ?? []);
    expect(directories(engine)).toEqual(['/dev/net/tun', '/run/pptp-concentrator']);
    expect(directories(control)).toEqual(['/run/pptp-concentrator', '/var/lib/pptp-concentrator']);
  });

  test('control may look at nodes, for their cordons, and the engine at nothing', () => {
    expect([engine, control].map((pod) => pod.automountServiceAccountToken)).toEqual([false, true]);
    for (const [objects, suffix] of [
      [single, ''],
      [shards, '-a'],
      [shards, '-b'],
    ] as const) {
      const name = `pptp-concentrator${suffix}`;
      const named = (kind: string) =>
        objects.find((object) => object.kind === kind && object.metadata.name === name);

      expect(podOf(`pptp-control${suffix}`, objects).serviceAccountName).toBe(name);
      expect(named('ServiceAccount')).toMatchObject({ automountServiceAccountToken: false });
      expect(named('ClusterRole')).toMatchObject({
        rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch'] }],
      });
      expect(named('ClusterRoleBinding')).toMatchObject({
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
        subjects: [{ kind: 'ServiceAccount', name, namespace: 'pptp' }],
      });
    }
  });

  test('nothing but an operator ends a pod, and users have time to leave', () => {
    const sets = single.filter(({ kind }) => kind === 'DaemonSet') as DaemonSet[];

    expect(sets.map(({ spec }) => spec.updateStrategy.type)).toEqual(['OnDelete', 'OnDelete']);
    // A checksum of the configuration would change the template with each of its changes.
    expect(sets.flatMap(({ spec }) => Object.keys(spec.template.metadata))).not.toContain('annotations');
    const [, order = ''] = control.containers[0]?.lifecycle?.preStop.exec.command ?? [];
    const [, minutes] = /^\/system drain soft wait=(\d+)m$/.exec(order) ?? [];
    expect(control.terminationGracePeriodSeconds).toBe(Number(minutes) * 60 + 120);
  });

  test('a shard’s pods go to its nodes, with its licence', () => {
    const licences = ['a', 'b'].map((shard) => {
      expect(podOf(`pptp-control-${shard}`, shards).nodeSelector).toMatchObject({
        'pptp-concentrator/shard': shard,
      });
      return configurationIn(shards, `-${shard}`).licence.level;
    });

    expect(licences).toEqual(['level6', 'level4']);
  });

  test('what they are told to do, the programs understand', () => {
    const [main] = control.containers;
    const options = readOptions(main?.args ?? []);
    if (options === 'help') throw new Error('these are not the options of a service');

    expect(options).toMatchObject({
      joinEngine: true,
      watchCordon: true,
      run: '/run/pptp-concentrator',
      state: '/var/lib/pptp-concentrator',
    });
    const mounts = main?.volumeMounts.map(({ mountPath }) => mountPath) ?? [];
    for (const file of options.config) expect(mounts).toContain(file.slice(0, file.lastIndexOf('/')));
    expect(main?.env?.map(({ name }) => name)).toContain('NODE_NAME');
  });

  test('ports are those of the configuration', () => {
    const { metrics, radiusIncoming, server } = configurationIn(single);

    expect(server.enabled).toBe(true);
    expect(control.containers[0]?.ports?.map(({ containerPort }) => containerPort)).toEqual([
      metrics.port,
      radiusIncoming.port,
    ]);
  });
});

test('the rules are those of grafana', async () => {
  const groups = ['recording', 'alerts'].map((name) => {
    const [, text = ''] = readFileSync(join(root, `grafana/rules/${name}.yml`), 'utf8').split('groups:\n');
    return text.replaceAll(/^(?=.)/gm, '  ');
  });
  const head = `# Written from grafana/rules by the tests (npx vitest -u): change it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: pptp-concentrator
spec:
  groups:
`;

  await expect(head + groups.join('')).toMatchFileSnapshot(
    join(root, 'deploy/kubernetes/cluster/prometheus-rule.yaml'),
  );
});

/** The scripts of the map and the secret, in force as control would have them. */
function configurationIn(objects: readonly Manifest[], suffix = '') {
  const dataOf = (name: string) =>
    (objects.find(({ metadata }) => metadata.name === name) as { data?: Record<string, string> })?.data ?? {};
  const scripts = { ...dataOf(`pptp-configuration${suffix}`), ...decoded(dataOf(`pptp-secrets${suffix}`)) };
  const store = new Store(menus);
  store.commit(store.proposeWhole(Object.entries(scripts).map(([file, text]) => ({ file, text }))));
  return configurationOf(store.current.tree);
}
