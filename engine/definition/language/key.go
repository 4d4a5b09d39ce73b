// Package language has the keys of workflow files, with a word on each, and the
// JSON Schema that editors use. The parser reads the same tables.
package language

import "maps"

// Form is how a key's value is written.
type Form int

const (
	formText Form = iota
	formName
	formID
	formCondition
	formDuration
	formSleep
	formCount
	formFactor
	formFlag
	formTriggers
	formTypes
	formType
	formNames
	formTemplate
	formValues
	formInputs
	formSteps
	formParallel
	formSwitch
	formRetry
	formConcurrency
	formLimits
	formOnce
	formCall
	formCron
	formAction
	formWith
	formPolicy
	formOnTimeout
	formBusy
	formLoop
	formMatch
	formWait
	formFirstOf
	formApproval
	formChoices
	formFields
	formRespond
	formStop
	formEnd
	formAnswer
	formUndo
	formUntil
	formPoll
	formFirst
	formPaths
	formHTTP
	formRoute
	formMethods
	formAuth
	formSecret
	formBasic
	formHMAC
	formCORS
	formRequestKey
	formWhen
	formPreset
	formAlgorithm
	formEncoding
	formCatchUp
	formEmail
	formMailbox
	formIMAP
	formPort
	formSecure
	formMark
	formAny
	formCode
	formEffect
	formRun
	formFlows
	formEnds
)

// Key is one key of the language; the parser and the schema are made from it.
type Key struct {
	Form     Form
	Doc      string
	Required bool
}

// Workflow has the keys of a workflow file.
var Workflow = map[string]Key{
	"name":        {formName, "Unique name of the workflow.", true},
	"description": {formText, "What the workflow is for.", false},
	"on":          {formTriggers, "Which events start a run: one trigger or a list.", true},
	"connection":  {formText, "Which connected account the steps use; default: that of the event.", false},
	"concurrency": {formConcurrency, "How many runs of one key go at a time.", false},
	"limits":      {formLimits, "Quotas of the workflow.", false},
	"timeout":     {formDuration, "Of the whole run, such as 30h.", false},
	"retry":       {formRetry, "Default of the steps.", false},
	"actions":     {formAny, "Actions of its own, by name; files in the folder actions describe them too.", false},
	"vars":        {formValues, "Values that expressions read as vars.<name>.", false},
	"steps":       {formSteps, "What a run does, in this order.", true},
	"on_failure":  {formSteps, "What a run does when it has failed; sees failure.", false},
	"finally":     {formSteps, "What a run does in any case at its end.", false},
	"output":      {formAny, "What the run returns.", false},
}

// Trigger has those of a trigger.
var Trigger = map[string]Key{
	"zoom":       {formTypes, "Zoom event types: one, a list, or a pattern such as recording.*", false},
	"event":      {formTypes, "Types of events that emit or a NATS client publishes: one, a list, or a pattern.", false},
	"call":       {formCall, "Other workflows start a run by call.", false},
	"if":         {formCondition, "Start only where this holds; a bare expression.", false},
	"connection": {formNames, "Only events of these connected accounts: one or a list.", false},
	"once":       {formOnce, "Of the events with one key, only the first in a while starts a run.", false},
	"schedule":   {formText, "When the workflow runs by itself: a cron such as 0 9 * * mon-fri, or every 15m.", false},
	"timezone":   {formText, "Of the schedule's cron, such as Europe/Berlin; default UTC.", false},
	"catch_up":   {formCatchUp, "Which of the schedule's times that were missed still start a run: one (the last), all or none; default one.", false},
	"http":       {formHTTP, "Requests to a path of its own start a run.", false},
	"email":      {formEmail, "Mails to a mailbox start a run: the part of the address before the @, or a mailbox on another server.", false},
	"poll":       {formPoll, "Read a list again and again: each item that is new or changed starts a run.", false},
	"run":        {formRun, "Runs of other workflows start a run when they end: a workflow's name, or which runs.", false},
}

// Ended has those of the trigger run.
var Ended = map[string]Key{
	"workflow": {formFlows, "Whose runs: a workflow, a list, or \"*\" for all others.", true},
	"status":   {formEnds, "How they end: completed, failed, canceled, or a list; default: in any way.", false},
}

// Email has those of the trigger email.
var Email = map[string]Key{
	"mailbox":   {formMailbox, "The part of the address before the @, of mails that are sent to zflow.", false},
	"imap":      {formIMAP, "A mailbox that there is on another server, which zflow looks into.", false},
	"automatic": {formFlag, "Whether mails that programs send by themselves start a run too, such as notices of absence, bounces and those of lists; default false.", false},
}

// IMAP has those of imap of the trigger email.
var IMAP = map[string]Key{
	"host":       {formText, "The mail server, such as imap.example.org.", true},
	"port":       {formPort, "Default 993, or 143 where tls is starttls or none.", false},
	"tls":        {formSecure, "implicit (from the first byte), starttls or none; default implicit.", false},
	"user":       {formText, "The name to log in with, mostly the address.", true},
	"password":   {formSecret, "The password, a secret; or else connection.", false},
	"connection": {formText, "A connection of kind http with OAuth, whose token stands for the password: for Microsoft 365, Gmail and the like.", false},
	"folder":     {formText, "The folder to look into; default INBOX.", false},
	"every":      {formDuration, "How often to look, at least 10s; default 1m. Most servers tell of a mail at once besides.", false},
	"since":      {formDuration, "At the first look, mails that came so long ago start runs too, such as 7d; default: only those that come from then on.", false},
	"mark":       {formMark, "What becomes of a mail that was taken: seen (marked as read) or none; default none.", false},
	"move":       {formText, "The folder to which a mail that was taken is moved; default: it stays.", false},
}

// Own says to which kind of trigger a key belongs.
type Own struct {
	Kind string
	Rule string // after "only"
	Hint string // where another kind has it
}

// KeysOf are the keys of a trigger that only one kind has.
var KeysOf = map[string]Own{
	"connection": {"zoom", "events from Zoom have a connection", ""},
	"timezone":   {"schedule", "a schedule has a timezone", ""},
	"catch_up":   {"schedule", "a schedule has catch_up", ""},
}

// Once has those of once.
var Once = map[string]Key{
	"key": {formTemplate, "What the events have in common.", true},
	"per": {formDuration, "For how long, such as 1d.", true},
}

// Poll has those of the trigger poll.
var Poll = map[string]Key{
	"uses":       {formAction, "The action that reads the list.", true},
	"with":       {formWith, "The action's input; expressions in it see vars and secrets.", false},
	"connection": {formText, "Which connected account to read with; default: the workflow's.", false},
	"every":      {formDuration, "How often to look, at least 1m.", true},
	"items":      {formText, "Where the list is in the output: a path, or ${{ }} over output; default: the one list that is there.", false},
	"key":        {formText, "The field by which an item is known from one poll to the next.", true},
	"fields":     {formPaths, "The fields in which an item can change; default: all.", false},
	"first":      {formFirst, "What becomes of the items that the first poll finds: skip or all; default skip.", false},
	"removed":    {formFlag, "Whether an item that is there no more is an event too; default false.", false},
}

// HTTP has those of the trigger http.
var HTTP = map[string]Key{
	"path":    {formRoute, "What comes after /http/; default: the workflow's name.", false},
	"method":  {formMethods, "GET, POST …: one, a list, or any; default POST.", false},
	"auth":    {formAuth, "How a caller shows who it is: none, bearer, basic or hmac; default none.", false},
	"respond": {formWhen, "now: 202 as soon as the request is stored. when_done: what respond says, else the run's output; default now.", false},
	"timeout": {formDuration, "How long when_done waits before it answers 202, up to 10m; default 30s.", false},
	"cors":    {formCORS, "The origins whose pages may call and read the answer; default none.", false},
	"key":     {formRequestKey, "By what a request is known when it comes again; default: the header Idempotency-Key.", false},
}

// Auth has those of auth of http.
var Auth = map[string]Key{
	"bearer": {formSecret, "The token that stands in the header Authorization; several while one is replaced.", false},
	"basic":  {formBasic, "User and password.", false},
	"hmac":   {formHMAC, "The body is signed with a shared secret.", false},
}

// Basic has those of basic.
var Basic = map[string]Key{
	"user":     {formText, "The user's name.", true},
	"password": {formSecret, "The password; several while one is replaced.", true},
}

// HMAC has those of hmac.
var HMAC = map[string]Key{
	"secret":    {formSecret, "What it is signed with; several while one is replaced.", true},
	"preset":    {formPreset, "Who signs: standard_webhooks, github, stripe or slack. It says what the other keys are.", false},
	"header":    {formText, "Which header has the signature.", false},
	"algorithm": {formAlgorithm, "sha256, sha1 or sha512; default sha256.", false},
	"encoding":  {formEncoding, "hex or base64; default hex.", false},
	"prefix":    {formText, "What stands before the signature, such as sha256=", false},
	"timestamp": {formText, "Which header has the time, in Unix seconds.", false},
	"signed":    {formText, "What is signed; default {body}, with a timestamp {timestamp}.{body}", false},
	"tolerance": {formDuration, "How far the timestamp may be from now; default 5m.", false},
}

// CORS has those of cors.
var CORS = map[string]Key{
	"origins":     {formNames, "The origins, such as https://app.example.org, or \"*\" for any.", true},
	"headers":     {formNames, "Headers that pages may send beside Content-Type, Authorization and Idempotency-Key.", false},
	"expose":      {formNames, "Headers of the answer that pages may read.", false},
	"credentials": {formFlag, "Whether cookies and passwords of the browser may be sent; default false.", false},
	"max_age":     {formDuration, "How long a browser remembers this.", false},
}

// RequestKey has those of key of http.
var RequestKey = map[string]Key{
	"header":   {formText, "The header that has it.", false},
	"field":    {formText, "The field of the body that has it, such as order.id", false},
	"query":    {formText, "The name in the query that has it.", false},
	"required": {formFlag, "Whether a request without it is refused; default true.", false},
}

// Callable has those of the trigger call.
var Callable = map[string]Key{
	"inputs": {formInputs, "The inputs, by name: their types. They arrive as event.", false},
}

// Concurrency has those of concurrency.
var Concurrency = map[string]Key{
	"key":       {formTemplate, "Runs of one key wait for each other; default: all runs.", false},
	"limit":     {formCount, "How many of them go at a time; default 1.", false},
	"when_busy": {formBusy, "What a run does that finds no place: queue, skip or replace.", false},
	"name":      {formName, "Workflows with one name here share the places.", false},
}

// Limits has those of limits.
var Limits = map[string]Key{
	"runs_per_minute": {formCount, "No more runs begin in a minute.", false},
	"fan_out":         {formCount, "No loop has more iterations.", false},
	"facts":           {formCount, "A run with so many facts continues as a new generation; default 10,000.", false},
}

// Step has those of a step.
var Step = map[string]Key{
	"id":                {formID, "How later steps refer to it: steps.<id>.output", false},
	"name":              {formText, "What people see.", false},
	"if":                {formCondition, "Do it only where this holds; a bare expression.", false},
	"uses":              {formAction, "The action.", false},
	"with":              {formWith, "The input of uses, code, call or emit.", false},
	"set":               {formAny, "A value that is computed once.", false},
	"sleep":             {formSleep, "Wait this long, such as 30m or 2d, or until a time.", false},
	"steps":             {formSteps, "Steps that belong together.", false},
	"parallel":          {formParallel, "Branches by name, each a list of steps; all go at once.", false},
	"switch":            {formSwitch, "Cases, each with if and steps; the first that holds is taken.", false},
	"call":              {formName, "Another workflow, which has the trigger call.", false},
	"wait":              {formFlag, "Whether call waits for the end of the other run; default true.", false},
	"wait_for":          {formWait, "Wait for an event or a signal.", false},
	"approval":          {formApproval, "Ask a person.", false},
	"emit":              {formType, "Publish an event of this type.", false},
	"respond":           {formRespond, "Answer the HTTP request that started the run.", false},
	"stop":              {formStop, "End the run: completed, failed or canceled.", false},
	"for_each":          {formLoop, "Do it for each element of a list.", false},
	"as":                {formID, "The element's name; default item.", false},
	"at_once":           {formCount, "How many iterations go at a time; default 1.", false},
	"until":             {formCondition, "After an iteration: whether the loop ends; a bare expression.", false},
	"continue_on_error": {formFlag, "Whether the run goes on when it has failed.", false},
	"undo":              {formUndo, "What undoes it, when the run fails or is canceled later.", false},
	"connection":        {formText, "Which connected account to use; default: that of the event.", false},
	"retry":             {formRetry, "How often, and when, a failed attempt is made again.", false},
	"timeout":           {formDuration, "Of one attempt of uses or code, default 5m; else of the whole step.", false},
	"on_unknown":        {formPolicy, "What follows an attempt of which nobody knows whether it happened.", false},
	"code":              {formCode, "JavaScript or TypeScript: export default async ({ event, steps, inputs }) => { … }; or { file: ./step.ts }.", false},
	"effect":            {formEffect, "What calling the code twice does: read changes nothing, idempotent is as once; default write.", false},
}

// Script has those of code, where it is no text.
var Script = map[string]Key{
	"file": {formText, "A .js, .mjs, .cjs, .ts, .mts or .cts file in the workflow's folder, relative to the workflow.", true},
}

// Case has those of a case of a switch.
var Case = map[string]Key{
	"if":    {formCondition, "Whether this case is taken; a bare expression.", false},
	"steps": {formSteps, "What is done then.", false},
	"else":  {formSteps, "What is done if no case before holds; only as the last.", false},
}

// Undo has those of undo.
var Undo = map[string]Key{
	"uses":       {formAction, "The action.", true},
	"with":       {formWith, "The action's input.", false},
	"connection": Step["connection"],
	"retry":      Step["retry"],
	"timeout":    {formDuration, "Of one attempt; default 5m.", false},
	"on_unknown": Step["on_unknown"],
}

// Sleep has those of sleep, where it is no duration.
var Sleep = map[string]Key{
	"until": {formUntil, "A time, or { schedule, timezone }.", true},
}

// Schedule has those of what sleep goes on until.
var Schedule = map[string]Key{
	"schedule": {formCron, "When: minute, hour, day of the month, month, day of the week.", true},
	"timezone": {formText, "Of the schedule, such as Europe/Berlin; default UTC.", false},
}

// Arrival has those of an alternative of first_of.
var Arrival = map[string]Key{
	"zoom":   {formTypes, "Zoom event types.", false},
	"event":  {formTypes, "Types of published events.", false},
	"signal": {formID, "The name of a signal, which runs signal sends.", false},
	"match":  {formMatch, "Fields of the event and the values that they must have; required for events.", false},
	"if":     {formCondition, "An extra check over arrived; a bare expression.", false},
}

// Wait has those of wait_for.
var Wait = withKeys(Arrival, map[string]Key{
	"first_of":   {formFirstOf, "Alternatives by name; the first to come ends the wait.", false},
	"look_back":  {formDuration, "How far back events count; default: from the trigger's receipt on.", false},
	"timeout":    {formDuration, "How long to wait.", false},
	"on_timeout": {formOnTimeout, "fail or continue; default fail.", false},
})

// Approval has those of approval.
var Approval = map[string]Key{
	"to":         {formAny, "Whom to ask: one or a list.", false},
	"message":    {formTemplate, "What to ask.", true},
	"choices":    {formChoices, "The answers; default approved and rejected.", false},
	"fields":     {formFields, "What else to answer, by name: text, number, boolean or date.", false},
	"timeout":    {formDuration, "How long to wait.", false},
	"remind":     {formDuration, "Ask again after this long, and again.", false},
	"on_timeout": {formOnTimeout, "fail or continue; default fail.", false},
}

// Answer has those of a field of an approval.
var Answer = map[string]Key{
	"type":     {formAnswer, "text, number, boolean or date.", true},
	"required": {formFlag, "Whether there is no answer without it.", false},
	"label":    {formText, "What people see.", false},
}

// Respond has those of respond.
var Respond = map[string]Key{
	"status":  {formAny, "The HTTP status; default 200.", false},
	"headers": {formValues, "The headers.", false},
	"body":    {formAny, "The body; an object or list becomes JSON.", false},
}

// Stop has those of stop.
var Stop = map[string]Key{
	"status":  {formEnd, "completed, failed or canceled.", true},
	"message": {formTemplate, "Why.", false},
}

// Retry has those of retry.
var Retry = map[string]Key{
	"attempts":  {formCount, "In all, the first included.", false},
	"delay":     {formDuration, "Before the second attempt.", false},
	"backoff":   {formFactor, "Factor from one delay to the next.", false},
	"max_delay": {formDuration, "No delay is longer.", false},
	"if":        {formCondition, "Over error: which failures to try again; default: those that may pass.", false},
}

func withKeys(table, more map[string]Key) map[string]Key {
	all := maps.Clone(table)
	maps.Copy(all, more)
	return all
}
