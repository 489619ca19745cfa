import { describe } from 'vitest';
import { ccpOptions } from '../../../../src/ppp/ccp/options.ts';
import { itFollowsItsVectors } from '../vectors.ts';

describe('the options of CCP', () => {
  itFollowsItsVectors('ccp-options.txt', ccpOptions);
});
