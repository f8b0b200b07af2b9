import type { WaitReport } from '@tutti/runtime';

/** What a server tells whoever runs it. */
export type ServerEvent =
  | { readonly event: 'opened'; readonly job: string; readonly chunks: number }
  | { readonly event: 'refused'; readonly peer: string; readonly reason: string }
  | {
      /** It was given up, and others have its chunks: the job goes on without it, and it ends. */
      readonly event: 'replaced';
      readonly job: string;
      /** Where its chunks are now. */
      readonly by: string;
      readonly reason: string;
    }
  | ({ readonly event: 'waiting' } & WaitReport);
