/**
 * What the kubelet makes of a container in a manifest, as options of podman: user, capabilities, root file system, mounts, environment and
 * command line. Of the volumes only those that the caller says where they are.
 */

import type { Manifest } from '../unit/deploy/manifests.io.ts';

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext: {
    readonly runAsUser: number;
    readonly runAsGroup: number;
    readonly privileged: boolean;
    readonly allowPrivilegeEscalation: boolean;
    readonly readOnlyRootFilesystem: boolean;
    readonly capabilities: { readonly drop: readonly string[]; readonly add?: readonly string[] };
  };
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
  readonly startupProbe?: HttpProbe;
  readonly livenessProbe?: HttpProbe;
  readonly readinessProbe?: HttpProbe | { readonly exec: { readonly command: readonly string[] } };
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
}

export interface HttpProbe {
  readonly httpGet: { readonly host: string; readonly path: string; readonly port: string };
}

export interface Pod {
  readonly hostNetwork: boolean;
  readonly containers: readonly [Container];
  readonly initContainers?: readonly [Container];
}

/** The pod of a DaemonSet. Throws if there is none of that name. */
export function podOf(objects: readonly Manifest[], name: string): Pod {
  const found = objects.find(({ kind, metadata }) => kind === 'DaemonSet' && metadata.name === name);
  if (found === undefined) throw new Error(`there is no DaemonSet ${name}`);
  return (found as Manifest & { spec: { template: { spec: Pod } } }).spec.template.spec;
}

/** Words behind `podman run`. `volumes` are paths of the host by names of volumes; `environment` is what comes from the pod's own fields. */
export function wordsOf(
  { image, command, args = [], env = [], securityContext, volumeMounts }: Container,
  volumes: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
): string[] {
  const { runAsUser, runAsGroup, capabilities, privileged } = securityContext;
  return [
    '--network=host',
    `--user=${runAsUser}:${runAsGroup}`,
    `--privileged=${privileged}`,
    // Docker and Kubernetes give no file systems in memory that nobody asked for.
    ...(securityContext.readOnlyRootFilesystem ? ['--read-only', '--read-only-tmpfs=false'] : []),
    ...(securityContext.allowPrivilegeEscalation ? [] : ['--security-opt=no-new-privileges']),
    ...capabilities.drop.map((name) => `--cap-drop=${name}`),
    ...(capabilities.add ?? []).map((name) => `--cap-add=${name}`),
    ...env.map(({ name, value }) => `--env=${name}=${value ?? environment[name]}`),
    ...volumeMounts.map(
      ({ name, mountPath, readOnly }) => `--volume=${volumes[name]}:${mountPath}${readOnly ? ':ro' : ''}`,
    ),
    ...(command === undefined ? [] : [`--entrypoint=${JSON.stringify(command)}`]),
    image,
    ...args,
  ];
}
