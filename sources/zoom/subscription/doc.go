// Package subscription keeps an app's event subscriptions at Zoom what the deployed
// workflows need.
//
// Obligations:
//
//  1. What a plan says is what applying it does. Applied twice, the second time
//     changes nothing.
//  2. Zoom lets nobody change the events of a subscription: one that must change is
//     made anew, and the old one is deleted only once Zoom has said that the new one
//     is there. So nothing is missed; what both send meanwhile is one event, by its
//     business key. After an error nothing is deleted.
//  3. Only subscriptions that the API made for this endpoint are touched. Those made
//     in the portal are left as they are, and what they send is not asked for again.
//  4. Event types that no workflow needs any more are taken away only where that is
//     asked for: a run may still wait for one, and another installation may share
//     the endpoint.
//  5. An event type that Zoom does not allow the app is named with the scopes of
//     which one must be added in the portal, and does not keep the others from being
//     subscribed.
package subscription
