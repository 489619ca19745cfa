import { describe, expect, it } from 'vitest';
import { Complaints, troubleOf } from '../../../src/base/redis-trouble.ts';

function failing(message: string, code?: string): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

describe('complaints', () => {
  const told: string[] = [];
  const complaints = new Complaints((severity, _topics, text) => told.push(`${severity}: ${text}`));

  it('are made once of each thing, until all is well', () => {
    const refused = failing('connect ECONNREFUSED 10.0.0.1:6379', 'ECONNREFUSED');
    complaints.tell(refused);
    complaints.tell(refused);
    complaints.allIsWell();
    complaints.tell(refused);

    const line = 'warning: cannot reach redis: connect ECONNREFUSED 10.0.0.1:6379';
    expect(told.splice(0)).toEqual([line, line]);
  });

  it('of what an operator can mend are one, however the words differ', () => {
    complaints.tell(failing("NOPERM User pptp has no permissions to run the 'eval' command"));
    complaints.tell(failing("NOPERM User pptp has no permissions to run the 'info' command"));

    expect(told.splice(0)).toEqual([
      "error: redis does not let our user do what the service needs: NOPERM User pptp has no permissions to run the 'eval' command",
    ]);
  });

  it('have words also for an error that has none, of a name with several addresses', () => {
    complaints.tell(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }));

    expect(told.splice(0)).toEqual(['warning: cannot reach redis: ECONNREFUSED']);
  });
});

it.each([
  ['READONLY You cannot write against a read only replica.'],
  ['Command timed out'],
  ['getaddrinfo ENOTFOUND redis'],
])('%s is nothing to be mended in the settings', (message) => {
  expect(troubleOf(failing(message))).toBeUndefined();
});
