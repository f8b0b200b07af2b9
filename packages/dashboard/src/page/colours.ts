/** The colours of the style sheet, for what is drawn: they follow light and dark. */
export interface Colours {
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly accent: string;
  readonly accentSoft: string;
  readonly second: string;
  readonly fault: string;
  readonly wait: string;
  readonly recovery: string;
  readonly note: string;
  readonly card: string;
}

export function currentColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ...{ ink: of('ink'), muted: of('muted'), line: of('line'), card: of('card') },
    ...{ accent: of('accent'), accentSoft: of('accent-soft'), second: of('second') },
    ...{ fault: of('fault'), wait: of('wait'), recovery: of('recovery'), note: of('note') },
  };
}

export function onSchemeChange(listen: () => void): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', listen);
}
