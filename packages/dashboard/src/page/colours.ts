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
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ...{ ink: colour('ink'), muted: colour('muted'), line: colour('line'), card: colour('card') },
    ...{ accent: colour('accent'), accentSoft: colour('accent-soft'), second: colour('second') },
    ...{
      fault: colour('fault'),
      wait: colour('wait'),
      recovery: colour('recovery'),
      note: colour('note'),
    },
  };
}

export function onSchemeChange(listen: () => void): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', listen);
}
