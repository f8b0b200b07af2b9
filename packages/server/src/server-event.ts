import type { WaitReport } from '@tutti/runtime';

/** What a server tells whoever runs it. */
export type ServerEvent =
  | { readonly event: 'opened'; readonly job: string; readonly chunks: number }
  | { readonly event: 'refused'; readonly peer: string; readonly reason: string }
  /** Nobody else can connect for now: a limit of the system is reached. */
  | { readonly event: 'full'; readonly reason: string; readonly remedy: string }
  | {
      /** It was given up, and others have its chunks: the job goes on without it, and it ends. */
      readonly event: 'replaced';
      readonly job: string;
      /** Where its chunks are now. */
      readonly by: string;
      readonly reason: string;
    }
  | ({ readonly event: 'waiting' } & WaitReport);
