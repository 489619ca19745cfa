/** What a user proves to know. In UTF-8, as PAP and CHAP use it. */

import { Secret } from '../../base/secret.ts';

export class Password extends Secret {}
