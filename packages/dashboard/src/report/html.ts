/** Markup that is what it says; everything else that goes into a page is text. */
export interface Markup {
  readonly markup: string;
}

type Content = Markup | string | number | readonly (Markup | string | number)[] | null | undefined;

/** A page's parts: values that are not markup themselves are escaped. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  const text = parts.map((part, at) => `${part}${at < values.length ? shown(values[at]) : ''}`);
  return { markup: text.join('') };
}

function shown(value: Content): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'string') return escaped(String(value));
  return 'markup' in value ? value.markup : value.map(shown).join('');
}

const escaped = (text: string) =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
