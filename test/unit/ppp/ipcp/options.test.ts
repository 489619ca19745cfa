import { describe } from 'vitest';
import { ipcpOptions } from '../../../../src/ppp/ipcp/options.ts';
import { itFollowsItsVectors } from '../vectors.ts';

describe('the options of IPCP', () => {
  itFollowsItsVectors('ipcp-options.txt', ipcpOptions);
});
