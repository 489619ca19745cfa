/** The kernel's randomness. */

import { randomBytes } from 'node:crypto';
import type { Random } from './random.ts';

export const systemRandom: Random = (size) => new Uint8Array(randomBytes(size));
