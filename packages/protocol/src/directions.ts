import type * as messages from './messages.js';

/** Who says what to whom. A role that is sent anything else refuses it with a reason. */
export type WorkerToCoordinator =
  | messages.Join
  | messages.Probe
  | messages.Verification
  | messages.Initial
  | messages.Report
  | messages.Contribution
  | messages.EvaluationReport
  | messages.Waiting
  | messages.WorkerFailed
  | messages.Leave
  | messages.Refused;

export type CoordinatorToWorker =
  | messages.Welcome
  | messages.Initialize
  | messages.Relocated
  | messages.Assign
  | messages.Compute
  | messages.Evaluate
  | messages.Verify
  | messages.Finish
  | messages.Refused;

export type CoordinatorToServer =
  | messages.Inquire
  | messages.Open
  | messages.Store
  | messages.Restore
  | messages.Capture
  | messages.Apply
  | messages.Gather
  | messages.Advance
  | messages.Permit
  | messages.Replaced
  | messages.Finish
  | messages.Refused;

export type ServerToCoordinator =
  | messages.Holding
  | messages.Opened
  | messages.Stored
  | messages.Captured
  | messages.Applied
  | messages.Gathered
  | messages.Advanced
  | messages.Misfit
  | messages.Leave
  | messages.Refused;

/** Contributions where the servers make the sums. */
export type WorkerToServer = messages.Pull | messages.Contribution | messages.Refused;

/** `holding` says that the server was started again and has no job yet. */
export type ServerToWorker =
  | messages.Weights
  | messages.Repeat
  | messages.Holding
  | messages.Refused;

/** Whoever asks for the status of a job need not have joined it. */
export type AskerToCoordinator = messages.Status;

export type CoordinatorToAsker = messages.StatusReport | messages.Finish | messages.Refused;
