/**
 * What a cell says that has no value: the words that pandas.read_csv knows by itself, and the question
 * mark of the UCI archive. Only columns of numbers are looked at for them, and columns of words for
 * those that are not listed: "NA" may be Namibia.
 */
const WORDS: ReadonlySet<string> = new Set([
  '',
  '?',
  '#N/A',
  '#N/A N/A',
  '#NA',
  '-1.#IND',
  '-1.#QNAN',
  '-NaN',
  '-nan',
  '1.#IND',
  '1.#QNAN',
  '<NA>',
  'N/A',
  'NA',
  'NULL',
  'NaN',
  'None',
  'n/a',
  'nan',
  'null',
]);

/** @param text without spaces around it */
export function isMissing(text: string): boolean {
  return WORDS.has(text);
}
