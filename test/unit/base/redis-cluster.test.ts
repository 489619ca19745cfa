import { describe, expect, it } from 'vitest';
import {
  ClusterGuide,
  type ClusterView,
  nameOf,
  type RedisPlace,
  viewOf,
} from '../../../src/base/redis-cluster.io.ts';

const [a, b, c] = [1, 2, 3].map((port) => ({ host: '10.0.0.1', port })) as [
  RedisPlace,
  RedisPlace,
  RedisPlace,
];
const nodes = [a, b, c];

/** A cluster of which each node says something; who says nothing is dead. */
function clusterOf(views: Readonly<Record<number, Partial<ClusterView>>>) {
  const asked: number[] = [];
  const ask = async (place: RedisPlace): Promise<ClusterView> => {
    asked.push(place.port);
    const view = views[place.port];
    if (view === undefined) throw new Error(`${nameOf(place)} is dead`);
    return { isWell: true, owner: undefined, nodes, ...view };
  };
  return { asked, ask };
}

describe('the owner of a key', () => {
  it('is who says so himself, whoever else names him', async () => {
    const { asked, ask } = clusterOf({ 1: { owner: b }, 2: { owner: b } });

    expect(await new ClusterGuide([a], ask).findOwner()).toEqual(b);
    expect(asked).toEqual([1, 2]);
  });

  it('is found over a start node that is dead, and first asked himself the next time', async () => {
    const { asked, ask } = clusterOf({ 2: { owner: c }, 3: { owner: c } });
    const guide = new ClusterGuide([a, b], ask);
    await guide.findOwner();
    await guide.findOwner();

    expect(asked).toEqual([1, 2, 3, 3]);
  });

  it('is looked for among nodes that only others have told of', async () => {
    const views: Record<number, Partial<ClusterView>> = { 1: { owner: a } };
    const { ask } = clusterOf(views);
    const guide = new ClusterGuide([a], ask);
    await guide.findOwner();
    delete views[1];
    views[3] = { owner: c };

    expect(await guide.findOwner()).toEqual(c);
  });

  it('is not who is cut off from the others, though he believes it', async () => {
    const { ask } = clusterOf({ 1: { owner: a, isWell: false }, 2: { owner: c }, 3: { owner: c } });

    expect(await new ClusterGuide([a, b], ask).findOwner()).toEqual(c);
  });

  it('that is dead, with no successor yet, is no owner: what was wrong first is told', async () => {
    const { asked, ask } = clusterOf({ 2: { owner: a }, 3: { owner: a } });

    await expect(new ClusterGuide([a, b], ask).findOwner()).rejects.toThrow('10.0.0.1:1 is dead');
    expect(asked).toEqual([1, 2, 3]);
  });
});

describe('the view of a node', () => {
  const slots = [
    [0, 5460, ['10.0.0.1', 1, 'id', []], ['10.0.0.1', 2, 'id', []]],
    [5461, 16_383, [null, 3, 'id', []]],
  ];

  it('has the master of the slot, and all nodes', () => {
    expect(viewOf(5460, slots, 'cluster_state:ok\r\n', a)).toEqual({ isWell: true, owner: a, nodes });
  });

  it('knows no host for itself: it is where it was asked', () => {
    expect(viewOf(5461, slots, 'cluster_state:fail\r\n', { host: 'redis-3', port: 7 })).toMatchObject({
      isWell: false,
      owner: { host: 'redis-3', port: 3 },
    });
  });

  it('may have nobody for a slot', () => {
    expect(viewOf(1, [], 'cluster_state:ok', a).owner).toBeUndefined();
  });
});
