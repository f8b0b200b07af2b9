import type { ShardReport } from '@tutti/protocol';
import { REPORT_MS, SIGN_OF_LIFE_MS } from '@tutti/protocol';
import type { Clock } from '@tutti/runtime';

/** Gathers what is to be reported: told in the end, or earlier if that takes long. */
export interface ReportBatcher {
  add(report: ShardReport): void;
  /** Something was done, if only a part of what is reported. */
  goesOn(): void;
  /** Tells what has not been told; that nothing was done, too. */
  finish(): void;
}

export function createReportBatcher(
  clock: Clock,
  tell: (reports: readonly ShardReport[]) => void,
): ReportBatcher {
  let reports: ShardReport[] = [];
  let spoke = clock.now();
  let silent = true;

  function say() {
    tell(reports);
    reports = [];
    silent = false;
    spoke = clock.now();
  }

  const batcher: ReportBatcher = {
    add(report) {
      reports.push(report);
      if (clock.now() - spoke >= REPORT_MS) say();
    },
    goesOn() {
      if (clock.now() - spoke >= SIGN_OF_LIFE_MS) say();
    },
    finish() {
      if (silent || reports.length > 0) say();
    },
  };
  return batcher;
}
