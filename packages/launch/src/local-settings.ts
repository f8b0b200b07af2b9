import type { CoordinatorSettings } from '@tutti/coordinator';
import { COORDINATOR_SETTINGS } from '@tutti/coordinator/internal';
import { CHECKPOINT_SETTINGS, type CheckpointSettings } from '@tutti/run';
import type { ServerSettings } from '@tutti/server';
import { SERVER_SETTINGS } from '@tutti/server/internal';
import type { LinkSettings } from '@tutti/transport';
import { LINK_SETTINGS } from '@tutti/transport/internal';
import type { WorkerSettings } from '@tutti/worker';
import { WORKER_SETTINGS } from '@tutti/worker/internal';

/**
 * How `runLocal` trains, besides what the program says: one plain value, which every process of the run
 * is given whole. Who needs one of them reads it there.
 */
export interface LocalSettings
  extends Omit<CoordinatorSettings, 'workers'>,
    CheckpointSettings,
    ServerSettings,
    WorkerSettings,
    LinkSettings {
  /**
   * Worker processes; 0 is the plain loop, in a process of its own. All of a program object is in this process.
   * Default 1.
   */
  readonly workers?: number | undefined;
  /**
   * One server lives in this process; more get a process each. `colocated`: one in the process of each worker,
   * so that all of these add and update, and less travels; `replicas` has each part of the weights in so many more. Default 1.
   */
  readonly servers?: number | 'colocated' | undefined;
  /** Where workers connect; a free port of the loopback interface by default. */
  readonly address?: string | undefined;
  /** Replacements for worker processes that die or hang, in the whole run. Default 0. */
  readonly maxRestarts?: number | undefined;
  /** A file for the stations of each step in all processes: docs/EVENTS.md. */
  readonly timeline?: string | undefined;
}

/** Their names, for whoever passes them on or refuses others. */
export const LOCAL_SETTINGS: Readonly<Record<keyof LocalSettings, true>> = {
  ...COORDINATOR_SETTINGS,
  ...CHECKPOINT_SETTINGS,
  ...SERVER_SETTINGS,
  ...WORKER_SETTINGS,
  ...LINK_SETTINGS,
  servers: true,
  address: true,
  maxRestarts: true,
  timeline: true,
};
