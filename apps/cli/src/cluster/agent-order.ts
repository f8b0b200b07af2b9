/** What the launcher tells the far side, in the first line of its stdin. */
export interface AgentOrder {
  readonly cwd: string;
  /** Settings, by their variables. */
  readonly environment: Readonly<Record<string, string>>;
  readonly ranks: readonly number[];
  readonly size: number;
  /** That of the job, in base64. */
  readonly key?: string;
  /** What was typed to start it all. */
  readonly startedAs: string;
  /** The arguments of `tutti node`. */
  readonly args: readonly string[];
}

/** In any further line. The end of stdin says that the launcher is gone. */
export interface AgentSignal {
  readonly signal: NodeJS.Signals;
}

/** The first line of an agent: from then on all is of a rank, and begins with its number and a tab. */
export const AGENT_READY = 'tutti agent: ready';
