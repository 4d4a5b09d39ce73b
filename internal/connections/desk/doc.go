// Package desk is how commands and the console ask workers about connections:
// only workers can open grants.
//
// Requests go to zflow.connection.<verb>, and one worker answers each. Secrets in
// them are sealed to the workers' public key, which is asked for first; what
// comes back holds none. Errors come back as text fit for the user.
package desk
