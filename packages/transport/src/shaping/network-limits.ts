/** What a network allows, of each process of its own. */
export interface NetworkLimits {
  /** In each direction. Default: as fast as it goes. */
  readonly bitsPerSecond?: number | undefined;
  /** From one end to the other, once for each message. Default 0. */
  readonly delayMs?: number | undefined;
}
