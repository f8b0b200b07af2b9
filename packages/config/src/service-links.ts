/**
 * Variables that Kubernetes puts into every container, one set for each service of the namespace
 * (https://kubernetes.io/docs/tutorials/services/connect-applications-service/, "Environment
 * Variables"): a service called `tutti` gives TUTTI_SERVICE_HOST, TUTTI_PORT, TUTTI_PORT_29500_TCP
 * and more. Nobody meant them for us.
 */
const SHAPES: readonly (readonly [name: RegExp, value: RegExp])[] = [
  [/_SERVICE_HOST$/, /^[0-9a-f.:]+$/i],
  [/_SERVICE_PORT(_[A-Z0-9_]+)?$/, /^\d+$/],
  [/_PORT(_\d+_(TCP|UDP|SCTP))?$/, /^(tcp|udp|sctp):\/\/\S+:\d+$/i],
  [/_PORT_\d+_(TCP|UDP|SCTP)_PROTO$/, /^(tcp|udp|sctp)$/i],
  [/_PORT_\d+_(TCP|UDP|SCTP)_PORT$/, /^\d+$/],
  [/_PORT_\d+_(TCP|UDP|SCTP)_ADDR$/, /^[0-9a-f.:]+$/i],
];

/** Whether both the name and the value are those of such a variable. */
export function isServiceLink(name: string, value: string): boolean {
  return SHAPES.some(([names, values]) => names.test(name) && values.test(value));
}
