import type { RunEvent } from '@tutti/telemetry';

/** The warning of something on the port that is no Tutti process, or a broken one. */
export function foreign(message: string): RunEvent {
  return {
    event: 'warning',
    code: 'BAD_FRAME',
    message: `${message}. The run goes on`,
    remedy:
      'Check that only Tutti processes of one version connect to this port; port scans and health checks that only open it do this too.',
  };
}
