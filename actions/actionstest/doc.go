// Package actionstest is what every action must pass: it calls an action against
// a server that gives all the answers an API can give, and none, and checks that
// what the action says of each is true, by the obligations of package actions.
//
// An action's own test describes it in a Suite and calls Run; the suite knows
// from the action's effect which classes of error are right.
package actionstest
