// Package oauth asks the authorization servers of Zoom, and of other services, for
// tokens.
//
// Obligations:
//
//  1. One call is one request: nothing here tries again, since an answer that was
//     lost may have used a code or a refresh token up.
//  2. Whatever comes back, a proxy's page or half an answer included, becomes a
//     *Problem with one of the reasons of Why and a text fit for the user.
//  3. No error holds a secret, a code or a token.
package oauth
