// Package zoomapi calls Zoom's REST API: tokens, paths, and what each answer means.
//
// Obligations:
//
//  1. A call is sent once. The exception is a call that Zoom refused because its
//     token had expired or been replaced (401 or 400 with code 124): it did not
//     happen, so the token is renewed and the call is sent once more.
//  2. Error.Outcome tells the truth. Again: nothing was sent, or Zoom refused for
//     now (408, 425, 429), or the call may be repeated and got no good answer.
//     Lost: it was sent, may not be repeated, and no answer or a 5xx came: Zoom
//     states nothing about its 5xx answers and knows no idempotency keys, so such
//     a call may have happened. All other refusals are Refused.
//  3. Codes mean nothing without their HTTP status: one code has several meanings.
//  4. RetryAt is not only Zoom's Retry-After, which may be seconds or an ISO date:
//     the limit of calls for one host a day is told by its message alone, while
//     the headers speak of another limit. It ends at 00:00 UTC.
//  5. The token goes to the API's own host only: a redirect elsewhere is an error,
//     and so is one that would change the method.
//  6. No error holds a token.
package zoomapi
