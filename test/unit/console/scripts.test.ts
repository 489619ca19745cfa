import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { randomScript } from '../config/random-script.ts';
import { plain, transcriptOf, World } from './world.ts';

describe('a configuration that is exported and imported into a fresh node', () => {
  it.each(['compact', 'verbose', 'terse'])('is the same again, whatever it was: %s', async (form) => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const [one, other] = [new World(), new World()];
      one.configure(randomScript(seededRandom(seed)));
      const command = `/export file=all show-sensitive ${form}`;

      await transcriptOf(one.shell().run(command, plain));
      other.files.set('all.rsc', one.files.get('all.rsc') ?? '');
      const seen = await transcriptOf(other.shell().run(`/import all; ${command}`, plain));

      expect(seen, `seed ${seed}`).toBe('Script file loaded and executed successfully\n');
      expect(other.files.get('all.rsc'), `seed ${seed}`).toBe(one.files.get('all.rsc'));
    }
  });

  it('is refused whole where one line is wrong, with its place', async () => {
    const world = new World();
    world.files.set('all.rsc', '/ppp secret\nadd name=a\nadd name=b profile=nowhere\n');

    const seen = await transcriptOf(world.shell().run('/import all', plain));

    expect(seen).toBe('! input does not match any value of profile\n');
    expect(world.store.current.number).toBe(0);
  });
});
