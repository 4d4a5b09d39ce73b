/** What zflow gives a step, as far as the steps here use it. */
export interface Step<Subject, Inputs> {
  event: { payload: { object: Subject } };
  inputs: Inputs;
  log: { info(...what: unknown[]): void };
}
