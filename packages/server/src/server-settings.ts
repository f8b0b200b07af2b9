export interface ServerSettings {
  /** How long it keeps the job for a coordinator that is gone. Default 120,000. */
  readonly returnDeadlineMs?: number | undefined;
}

/** Their names, for whoever passes them on or refuses others. */
export const SERVER_SETTINGS: Readonly<Record<keyof ServerSettings, true>> = {
  returnDeadlineMs: true,
};
