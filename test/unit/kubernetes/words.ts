/** What an API server says of a node, as it says it: compact JSON, with more in it than we read. */

/** A Node object; `cordoned` leaves `unschedulable` out if it is false, as the API server does. */
export function nodeObject(version: string, cordoned: boolean) {
  return {
    kind: 'Node',
    apiVersion: 'v1',
    metadata: { name: 'node-1', resourceVersion: version, labels: { city: 'Zürich' } },
    spec: { podCIDR: '10.0.0.0/24', ...(cordoned && { unschedulable: true }) },
    status: { images: [{ names: ['registry.example/pptp/control:0.1.0'], sizeBytes: 1 }] },
  };
}

export const nodeList = (version: string, ...items: readonly object[]): string =>
  `${JSON.stringify({ kind: 'NodeList', apiVersion: 'v1', metadata: { resourceVersion: version }, items })}\n`;

const line = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;

export const modified = (version: string, cordoned: boolean): string =>
  line('MODIFIED', nodeObject(version, cordoned));

export const deleted = (version: string): string => line('DELETED', nodeObject(version, false));

export const bookmark = (version: string): string =>
  line('BOOKMARK', { kind: 'Node', apiVersion: 'v1', metadata: { resourceVersion: version }, spec: {} });

export const error = (code: number): string =>
  line('ERROR', { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Expired', code });
