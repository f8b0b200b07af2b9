/** One entry of the table of settings. What may be said of it depends on its kind. */
export type Setting = Common &
  (
    | {
        readonly kind: 'integer';
        readonly min: number;
        readonly max?: number;
        readonly default?: number;
        /** What may stand in place of a number. */
        readonly words?: readonly string[];
      }
    /** A finite number above `above`. */
    | { readonly kind: 'number'; readonly above: number; readonly default?: number }
    /** A number from 0 to 1. */
    | { readonly kind: 'share'; readonly default?: number }
    | { readonly kind: 'boolean'; readonly default?: boolean }
    | { readonly kind: 'choice'; readonly values: readonly string[]; readonly default?: string }
    /** A name or a path: any text that is not empty. */
    | { readonly kind: 'text'; readonly default?: string }
    /** So many steps, or so much time: `500`, `1s`, `5m`. */
    | { readonly kind: 'interval'; readonly default?: string }
    /** What a network allows: `rate=1gbit,delay=5ms`. */
    | { readonly kind: 'network'; readonly default?: string }
    /** A host name or an IP address, without a port. */
    | { readonly kind: 'host'; readonly default?: string }
    /** Where a process listens or connects: `tcp://host:port`, `host:port` or `ipc://path`. */
    | { readonly kind: 'address'; readonly default?: string }
    /** A port of this machine, 0 for a free one; or true: the usual one, else a free one. */
    | { readonly kind: 'port'; readonly default?: number }
    /** Several of those: a list in a file, separated by commas elsewhere. */
    | { readonly kind: 'addresses'; readonly default?: readonly string[] }
  );

interface Common {
  /** Commands that use it. Others ignore it in the environment and in the file. */
  readonly commands: readonly Command[];
  /** The heading under which --help lists it. */
  readonly group: string;
  readonly doc: string;
  /** What holds if nobody sets it, where that is not a fixed value; by command where they differ. */
  readonly otherwise?: string | Readonly<Partial<Record<Command, string>>>;
}

/** The commands of `tutti`, as its help lists them. */
export const COMMANDS = [
  'train',
  'coordinator',
  'server',
  'worker',
  'node',
  'launch',
  'eval',
  'replay',
  'export',
  'compress',
  'inspect',
  'status',
  'dashboard',
  'keys',
  'setup',
  'doctor',
] as const;

export type Command = (typeof COMMANDS)[number];
