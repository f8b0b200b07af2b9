import { afterEach } from 'mocha';

const accounts: { readonly who: string; readonly last: () => readonly string[] }[] = [];

const LAST_LINES = 12;

/**
 * Has the lines that somebody said last shown if the test under way fails: all that is known of one
 * that waits for ever.
 */
export function keepAccount(who: string, last: () => readonly string[]): void {
  accounts.push({ who, last });
}

export const lastLinesOf = (text: string): readonly string[] =>
  text.trimEnd().split('\n').slice(-LAST_LINES);

afterEach(function () {
  if (this.currentTest?.isFailed())
    for (const { who, last } of accounts)
      console.log([`      ${who} said last:`, ...last()].join('\n        '));
  accounts.length = 0;
});
