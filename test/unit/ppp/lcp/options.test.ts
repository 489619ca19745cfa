import { describe } from 'vitest';
import { lcpOptions } from '../../../../src/ppp/lcp/options.ts';
import { itFollowsItsVectors } from '../vectors.ts';

describe('the options of LCP', () => {
  itFollowsItsVectors('lcp-options.txt', lcpOptions);
});
