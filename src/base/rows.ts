/** The rows that most lists have. Pure. */

import { text, yesNo } from './kind.ts';
import type { Row } from './setting.ts';

export const comment: Row<string> = {
  kind: text,
  default: '',
  applies: 'live',
  help: 'A remark of the operator; `print` shows it above the item.',
};

/** Whether the item is switched off. `enable` and `disable` change this row. */
export function disabled(byDefault: boolean): Row<boolean> {
  return {
    kind: yesNo,
    default: byDefault,
    applies: 'live',
    help: 'Whether the item is kept but not used.',
  };
}
