## Cards: titles by status

card-needs-review = Being checked
card-charged-back = Charged back
card-disputed = Disputed
card-refunded = Refunded { $refunded }
card-refund-pending = Refund of { $refunded } on its way
card-overpaid = Paid too much
card-paid = Paid
card-partially-refunded = Paid { $captured }, refunded { $refunded }
card-partially-paid = Paid { $captured }, { $missing } to go
card-processing = The bank is processing it
card-returned = The bank took it back
card-cancelling = Cancelling…
card-cancelled = Cancelled
card-closing = Closing…
card-expired = Expired
card-rejected = Not approved
card-pending-approval = Waits for a second person
card-failed = Could not be created
card-preparing = Creating the link…
card-open = Please pay { $amount }

## Cards: the rest

card-label-for = For
card-label-to = To
card-label-reference = Reference
card-label-until = Pay until
card-label-paid = Paid on
card-label-captured = Received
card-label-refunded = Refunded
card-label-late = Note
card-label-still = May still arrive until
card-label-back = To send back
card-back = { $amount } was rejected. Send it back at the provider; until then nobody can pay.
card-label-held = Does not fit
card-held = { $came } came, { $asked } was asked for. Accept it; or reject it, and send it back at the provider.
card-label-attempt = Last try
card-label-asked-by = Asked by
card-label-answer-by = Answer the bank by
card-label-inquiry = The bank asks
card-inquiry = No money was taken yet. Answer at the provider, and it may stay so.
card-label-suspect = Hold it back
card-suspect = May be fraud: look at the provider before you hand anything over.
card-label-refund-failed = Refund came back
card-refund-failed = { $amount } did not reach the payer. Look at the provider, then refund again.
card-late = Paid after the deadline or a cancel: staff decide
card-late-kept = Paid after the deadline or a cancel, and accepted
card-declined = Declined, nothing was charged
card-footer = Issued by { $merchant } with Till · code { $code } · never type a card number into the chat
card-see = See: { $link }
action-pay = Pay { $amount }
action-pay-rest = Pay the rest, { $amount }
action-receipt = Receipt
action-refund = Refund
action-refund-extra = Refund the extra
action-cancel = Cancel
action-remind = Remind
action-extend = Extend
action-accept = Accept
action-reject = Reject
action-honour = Keep it
action-renew = Ask again
confirm-refund = Up to { $amount } can go back for { $code }. How much?
confirm-refund-extra = { $amount } of { $code } is more than was asked for. How much goes back?
confirm-remind = Say { $code } again here, and mention who is to pay?
confirm-extend = Leave { $code } open for a day longer, until { $until }?
confirm-accept = Let { $amount } count for { $code }, although something else was asked for?
confirm-reject = Let { $amount } not count for { $code }? Then send it back at the provider.
confirm-honour = Keep the { $amount } of { $code }, although it came too late?
confirm-renew = Ask for the { $amount } of { $code } once more? A new card will stand here.
confirm-cancel = Cancel { $code }? Nobody will be able to pay it any more.

## Statuses, as words in a sentence

status-needs_review = being checked
status-charged_back = charged back
status-disputed = disputed
status-refunded = refunded
status-refund_pending = being refunded
status-overpaid = paid too much
status-paid = paid
status-partially_refunded = refunded in part
status-partially_paid = paid in part
status-processing = being processed by the bank
status-returned = taken back by the bank
status-cancelling = being cancelled
status-cancelled = cancelled
status-closing = being closed
status-expired = expired
status-rejected = not approved
status-pending_approval = waiting for a second person
status-failed = not created
status-preparing = being created
status-open = open

## What staff can do, as words in a sentence

act-approve = approve
act-reject = reject
act-cancel = cancel
act-extend = extend
act-remind = remind
act-refund = refund
act-approve_refund = approve a refund
act-refuse_refund = refuse a refund
act-honour = decide about
act-accept = accept
act-renew = renew

## Refusals

refuse-unknown = There is no payment { $code } here. Look at the code on its card: six letters and digits.
refuse-status = You cannot { $act } it while it is { $status }.
refuse-hint-processing = The bank has it already; refund it when it arrives.
refuse-hint-paid = The money is there: refund it with /till refund and its code.
refuse-hint-open = Nobody has paid it yet: cancel it instead.
refuse-hint-refunded = All of it went back already.
refuse-hint-cancelled = Nobody can pay it any more.
refuse-hint-expired = Ask anew with /pay.
refuse-nothing-left = There is nothing left to refund.
refuse-too-much = At most { $most } can be refunded. Write an amount above zero and up to that.
refuse-currency = This payment is in { $currency }. Write the amount in { $currency }, or leave the currency out.
refuse-alone = One person may refund at most { $most } at once. Refund less, or ask the owner to do it at the provider.
refuse-day = That would be more than the { $most } that may be refunded in one day. Refund less, or ask the owner to do it at the provider.
refuse-no-limit = Refunds in { $currency } are switched off: no limit is set for it. The owner can set one under [refunds] in till.toml.
refuse-other-platform = Somebody else of the staff must agree, where it was asked for: Till cannot tell whether two accounts on two platforms are one person.
refuse-own-request = You asked for it yourself: somebody else of the staff must agree.
refuse-too-far = A payment can be open until { $most } at most. Extend it by less, or ask anew with /pay.
refuse-other-currency = { $came } cannot count: this payment is in another currency. Send it back at the provider, and reject it here.
refuse-not-staff = Only staff of the shop can do this. If you want to pay, use the button on the card.

## The desk's answers

desk-asked = Asked for { $amount }: { $code }.
desk-perhaps-too-small = The provider may find it too small: it takes { $least } or more, as far as we know.
desk-too-large = { $amount } is more than the provider takes, which is { $would }. Ask for it in parts.
desk-too-fine = { $amount } cannot be paid at the provider: it counts in steps of { $would }. Round the amount.
desk-unknown-currency = The provider does not take { $currency }. Ask in another currency.
desk-renewed = Asked for { $amount } once more: { $code }, in place of { $was }.
desk-renew-other-mode = { $code } is of the other mode: one of them is a test, and the other is real money. Please ask anew with { $pay }.
desk-renewed-before = { $was } was asked for once more already: { $code }.
desk-asked-before = You asked for this already: { $code }.
desk-same = You asked for the same { $seconds ->
    [one] one second
   *[other] { $seconds } seconds
  } ago: { $code }.
desk-cancelled = { $code } is being cancelled.
desk-refunding = { $amount } of { $code } is on its way back.
desk-reminded = { $code } is said again here.
desk-reminded-before = { $code } was said again here { $minutes ->
    [0] a moment ago
    [one] one minute ago
   *[other] { $minutes } minutes ago
  }. Leave people ten minutes.
desk-extended = { $code } can be paid until { $until }.
desk-waits-for-second = It is so much that a second person must agree. Somebody else of the staff types: { $approve }
desk-approved = { $code }: you agreed. The card comes by itself.
desk-not-approved = { $code }: you did not agree. Nothing is asked for.
tell-approved = { $code }: { $name } agreed. The card comes by itself.
tell-not-approved = { $code }: { $name } did not agree. Nothing is asked for.
needs-second = waits for a second person: { $approve }
desk-accepted = { $code }: { $amount } counts now.
desk-rejected = { $code }: { $amount } does not count. Send it back at the provider.
desk-honoured = { $code }: what came too late is kept.
desk-retrying = { $code }: what was given up is tried again.
desk-nothing-dead = { $code }: nothing was given up.
desk-dead = { $code }  given up: { $what } ({ $why }). Try it again: { $retry }
dead-call = a call to the provider
dead-message = a message
dead-card = its card
dead-delivery = what the provider told
desk-verify-ours = Yes: { $code } was issued by { $merchant }.
desk-verify-ours-staff = Yes: { $code } was issued by { $merchant }, and is { $status }.
desk-verify-what = Write the code that stands on the card, or paste the link of its button.
desk-verify-not-ours = No: { $merchant } did not issue this. Do not pay it, and tell us in the chat where you found it.
desk-list = Payments that are { $status }:
desk-list-more = … and more: till payments list, where Till runs.
desk-list-none = No payment is { $status } now.
desk-needs = Needs somebody:
desk-needs-line = { $code }  { $amount }  { $why }
needs-review = other money came than was asked for: accept or reject it
needs-answer = the bank waits for an answer at the provider, by { $date }
needs-dispute = disputed at the bank
needs-extra = paid too much: refund the extra
needs-late = paid too late: keep it, or refund it
needs-part = only a part was paid, and its time is over
needs-back = { $amount } was rejected: send it back at the provider
needs-sums = more went back than came: look at the provider
needs-refund = a refund came back
needs-look = may be fraud: look at the provider
desk-needs-none = Nothing needs anybody.
desk-open-now = Open:
desk-open-none = No payment is open.
desk-done-before = This was done already ({ $code }).
desk-status = { $code }: { $title }. Asked: { $amount }. Received: { $captured }. Refunded: { $refunded }.
desk-recent-none = Nothing was asked for here yet. Try { $example }.
desk-recent = The newest payments:
desk-recent-line = { $code }  { $amount }  { $status }  { $what }
desk-busy = The till is busy for a moment. Nothing was done; please send it again.
desk-no-account = No new payments are taken at the moment, and nothing was asked for. The owner can open an account with “till account reopen”, or add one.
desk-slow-down = That was a lot at once. Nothing was done; please wait { $seconds ->
    [one] one second
   *[other] { $seconds } seconds
  }.
desk-how-to-list = To let you, whoever hosts Till types: till staff add { $listed }
desk-today = Received today: { $amounts }.
desk-today-nothing = Nothing was received today yet.
desk-mine = Your open payments:
desk-mine-none = You have no open payment.
refuse-changed = Something has changed since: look at the card again, and decide then.
desk-old-button = This button does not work here. Type { $example } instead.
tell-failed = { $code } could not be created: { $why }
tell-keeps-failing = The pay page for { $code } could not be made { $times } times by now: { $why }. Till goes on trying; whoever runs it can find out why: till doctor.
tell-next-press = A pay page for { $code } was not made: { $why }. The next press on Pay makes another one.
tell-takes-longer = The pay page for { $code } is not there yet: { $why }. Another one is made by itself; you need not ask again.
tell-waits = { $code } waits: { $why }
tell-refund-failed = The refund of { $amount } for { $code } was not made: { $why }
tell-not-taken = { $code }: the payer agreed, and the provider did not hand over the money: { $why }. It can be paid again as long as it is open.
tell-lost-answer = the provider knows nothing of it
tell-too-late = the provider could not be reached in time
tell-amount-too-small = the amount is smaller than what the provider takes. Ask for more at once, with several items
tell-amount-too-large = the amount is larger than what the provider takes. Ask for it in parts
tell-refund-disputed = the bank has taken this payment under dispute. What is given back there is decided by the bank
tell-refund-gone = all of it went back already
tell-not-reached = the provider cannot be reached. Till goes on trying, and the card comes by itself
tell-not-permitted = Till's key may not do this at the provider. Whoever runs Till can see which permission is missing: till doctor
tell-webhooks-silent = { $code } is paid, but the provider did not tell Till so by itself: it had to be asked. Whoever runs Till can find out why: till doctor
alert-inquiry = { $code }: the bank asks about this payment. No money was taken yet. Answer at the provider{ $by }.
alert-dispute = { $code } is disputed at the bank, over { $amount }. Answer at the provider{ $by }.
alert-by = { " " }by { $date }
alert-refund_failed = { $code }: the refund of { $amount } came back. Look at the provider why, then refund again.
alert-fraud_warning = { $code } may be fraud, says the card's network. Hold back what was bought, and think about a refund.
alert-amount_differs = { $code } could not be created: the provider's page asked for another amount than { $amount }, so it was closed. Tell whoever runs Till.
alert-paid_after_cancel = { $code } was cancelled, and the payer was faster: { $amount } is here. Refund it, or hand over what was bought.
alert-paid_late = { $code } was paid after its deadline: { $amount } is here. Keep it: { $keep }. Or send it back: { $refund }
alert-only_part = { $code } was paid only in part: { $amount } is here, and nobody can pay the rest any more. Leave it open for longer, or refund it: { $extend } or { $refund }
alert-mismatch = { $code }: { $amount } came, and something else was asked for. It counts nowhere yet. Look at the provider, then: { $accept } or { $reject }
alert-review = { $code } is held for review at the provider. Look at it there before you hand anything over.
tell-not-staff-now = you are not on the staff list any more

## Pings: one short message when a payment arrives at a status

card-superseded = This card of { $code } was posted twice by mistake: please use the other one.
ping-paid = { $code } is paid: { $amount }. Thank you!
ping-overpaid = { $code } was paid too much: { $captured } of { $amount }.
ping-refunded = { $code }: all { $refunded } went back.
ping-partially_refunded = { $code }: { $refunded } of { $captured } went back.
ping-expired = { $code } has expired. Nobody can pay it any more.
ping-disputed = { $code } is disputed at the bank.
ping-charged_back = { $code } was charged back by the bank.
ping-returned = { $code }: the bank took the money back.

remind = { $code }: { $amount } is still to be paid, until { $until }. { $link }

## Pay page and receipt

page-pay-title = Pay { $merchant }
page-asks = { $merchant } asks for
page-asked-by = Asked by
page-code = Code
page-for = For
page-until = Pay until
page-pay = Pay { $amount }
page-next = The next page is { $host }, where you pay by card. We never ask for a card number in the chat.
page-test = TEST: no real money moves
page-moment-title = One moment
page-moment = The payment page is being made. This page looks again by itself.
page-again = Look again
page-back = You can close this page and go back to the chat.
page-not-found-title = This link does not work
page-not-found = It may be cut off or mistyped. Open it again from the card in the chat.
page-receipt = See the receipt
page-receipt-from = Receipt from { $merchant }
page-receipt-number = Number
page-receipt-date = Date
page-receipt-total = Total paid
page-receipt-refunded = Refunded
page-receipt-kept = Total after refunds
page-receipt-method = Payment reference
page-receipt-note = This is a receipt, not an invoice.
page-slow-down = That was often. Please wait a moment and try again.
page-busy = The till is busy for a moment. Please try again.
page-state-paid = This is paid. Thank you!
page-state-processing = Your bank is processing the payment. There is nothing more to do.
page-state-cancelled = This was cancelled. Please do not pay it; ask in the chat if you are unsure.
page-state-expired = This link has expired. Ask in the chat for a new one.
page-state-refunded = The money went back to you.
page-state-other = There is nothing to pay here now. Ask in the chat if you are unsure.

## Money

money-empty = Write the amount, like 25 or 25.50.
money-not-a-number = I cannot read “{ $text }” as an amount. Write it in digits, like 25 or 25.50.
money-digits = “{ $text }” has digits I cannot read. Write the amount with 0 to 9, like 25 or 25.50.
money-negative = “{ $text }” is below zero. Write the amount without the minus.
money-zero = “{ $text }” is nothing to pay. Write an amount above zero, like 25.
money-too-much = “{ $text }” is more than I can ask for. The most is { $max }.
money-over-precise = “{ $text }” is too exact: { $currency } has { $decimals ->
        [0] no decimals
        [one] { $decimals } decimal
       *[other] { $decimals } decimals
    }. Write { $instead }, for example.
money-ambiguous = “{ $text }” can be read in two ways. Write { $whole } or { $part }.
money-marks = I am not sure about the marks in “{ $text }”. If you mean { $instead }, write just that.
money-unknown-currency = I do not know the currency “{ $text }”. Write three letters, like 25 EUR, or put the text after the amount in quotes.
money-no-minor-unit = Nothing can be paid in { $code }. Write another currency, like 25 EUR.
money-shared-sign = “{ $sign }” does not say which currency. Write the three letters instead, like 25 EUR or 25 USD.
money-two-currencies = “{ $text }” names two currencies. Write one of them, like 25 EUR.

## Commands

# What each command does: in help, in the menu of the composer, and after "I understood:".
command-pay-about = ask for money
command-cancel-about = call a payment off
command-refund-about = give money back
command-remind-about = say a payment again in its conversation
command-extend-about = leave a payment open for longer
command-renew-about = ask for the same once more
command-accept-about = let money count that does not fit what was asked
command-approve-about = agree that a large amount is asked for
command-reject-about = do not agree; or let money not count that does not fit
command-honour-about = keep money that came too late
command-status-about = see how a payment stands
command-payments-about = list payments, and what needs somebody
command-verify-about = find out whether a code or link is ours
command-retry-about = try again what was given up
command-help-about = explain the commands

command-help-line = { $example } — { $about }
command-help-end = For more about one of them, type { $till } help pay, for example.
command-pay-more =
    The amount comes first, then what it is for. { $pay } alone opens a form.
    Several items: { $pay } 2 x 4.50 EUR coffee + 3 EUR cake
    Who pays: to:@ana
    Their e-mail, for the page where they pay: email:ana@example.com
    How long it is open: expires:30m, expires:2h or expires:3d
    Your own number: ref:A-17
    More words: note:"window seat"
    Words in quotes are taken as they are.
command-cancel-more = The code stands on the card. Nobody can pay it any more; to get money back, use { $till } refund.
command-refund-more =
    The code stands on the card. Without an amount, all of it goes back.
    The rest is the reason. If it begins with a number, put it in quotes.
command-remind-more = One short message below the card, which mentions who is to pay. Once in ten minutes.
command-extend-more = By minutes, hours or days: 30m, 2h, 3d. A payment can be open for 30 days at most.
command-renew-more = For a payment that expired or was called off. The code stands on its card; a new card comes in the same conversation.
command-accept-more = For a payment that is being checked, since other money came than was asked for. It counts from then on. Money in another currency cannot.
command-approve-more = For a payment that waits for a second person. Whoever asked cannot agree themselves.
command-reject-more = For a payment that waits for a second person, or that is being checked. Money that was rejected counts nowhere; send it back at the provider.
command-honour-more = For a payment that came after its deadline or a cancel. To send it back instead, use { $till } refund.
command-status-more = The code stands on the card. Without one, you see what is open here.
command-payments-more = Alone: what needs somebody, and what is open. With a status: { $till } payments paid, { $till } payments expired.
command-verify-more = Write a code, or paste the link of a card. Anybody may ask; strangers hear only whether it is ours.
command-retry-more = What could not be done after many tries is given up, and stands in { $till } status and { $till } payments. This tries it once more.
command-help-more = Without a word after it, you see all commands.

# The answer to a command that did not work.
command-understood = I understood: { $list }.
command-example = Try: { $example }
command-understood-code = payment { $value }
command-understood-amount = { $value }
command-understood-items = { $value }
command-understood-what = for “{ $value }”
command-understood-reason = because “{ $value }”
command-understood-to = to { $value }
command-understood-email = by e-mail to { $value }
command-understood-expires = open for { $value }
command-understood-ref = reference { $value }
command-understood-note = note “{ $value }”

command-no-amount = How much is it? Write the amount first, then what it is for.
command-currency-or-word = Is “{ $text }” the currency { $code }, or part of the text? Write { $code } in capitals, or put the text in quotes.
command-mixed = One payment has one currency, and here are { $first } and { $second }. Write the same one with every price.
command-quantity = I cannot ask for { $text } of something. Write a number from 1 to { $max }.
command-too-many-items = One payment has at most { $max } items. Put some together, or ask twice.
command-item-amount = Item { $number } does not begin with its price. Write the price first, or put text that has a “+” in quotes.
command-item-name = Item { $number } has no name. Write what it is after its price.
command-open-quote = This quote is not closed: { $text } Put another quote where it ends.
command-twice = “{ $option }:” stands there twice. Keep one of them.
command-near-option = I do not know “{ $typed }:”. Did you mean “{ $meant }:”? If it is part of the text, put the text in quotes.
command-no-value = “{ $option }:” has nothing after it. Write it like { $example }.
command-to = “{ $text }” is not one person. Name one, like to:@ana.
command-expires = I cannot read “{ $text }” as a time. Write minutes, hours or days, like 30m, 2h, 3d or 1h30m.
command-expires-range = A payment can be open from 10 minutes to 30 days, and “{ $text }” is not between them. Write a time like 2h.
command-email = “{ $text }” is not an e-mail address. Write it like email:ana@example.com.
command-reference = “{ $text }” has something in it that a reference cannot have. Use the letters a to z, digits and - _ . / #.
command-no-code = Which payment is it? Write the six characters that stand on its card.
command-no-time = By how much? Write minutes, hours or days after the code, like 30m, 2h or 3d.
command-no-such-status = No payment is ever “{ $text }”. Write open, paid, expired, cancelled, refunded or disputed, for example.
command-bad-code = “{ $text }” is not the code of a payment. Write the six characters that stand on its card.
command-extra = I do not know what to do with “{ $text }”. Leave it out.
command-no-such-verb = I do not know “{ $text }”. I know: { $verbs }.
command-near-verb = I do not know “{ $text }”. Did you mean “{ $meant }”?

command-long-text = That is too long for me. Write at most { $max } characters.
command-long-what = The text is too long for a card. Write at most { $max } characters, or put the rest into note:"…".
command-long-item = The name of an item is too long for a card. Write at most { $max } characters.
command-long-name = The name is too long. Write at most { $max } characters.
command-long-email = The e-mail address is too long. Write at most { $max } characters.
command-long-reference = The reference is too long. Write at most { $max } characters.
command-long-note = The note is too long. Write at most { $max } characters.
command-long-reason = The reason is too long. Write at most { $max } characters.

## Web chat

web-guest = Guest { $code }
web-you-are = You are { $name }
web-chat-title = Chat
web-desk-title = Desk
web-taken-away = This message was taken away.
web-test-about = Test mode: no real money moves.
web-noscript = This chat needs JavaScript. Please switch it on and load the page again.
web-log = Messages
web-latest = New messages ↓
web-write = Write a message
web-write-desk = Message, or / for commands
web-send = Send
web-commands = Commands
web-empty-chat = Hello! Write to us here. If there is something to pay, a payment card appears in this chat.
web-empty-room = Nothing was said here yet.
web-empty-desk = No conversations yet. One appears here when a customer writes.
web-choose = Choose a conversation.
web-conversations = Conversations
web-back = All conversations
web-leave = Sign out
web-close = Go back
web-pay-button = Request payment
web-pay-title = Request a payment
web-pay-amount = Amount
web-pay-currency = Currency
web-pay-what = What for
web-pay-what-example = Coffee and cake
web-pay-email = Customer's e-mail (optional)
web-pay-note = Note for the customer (optional)
web-pay-send = Request payment
web-question-amount = Amount
web-badge-open = Waiting for payment
web-enter = Open the desk
web-enter-hello = Hello { $name }
web-enter-about = This link signs you in at the desk of { $merchant }, in this browser. It works once.
web-enter-gone = This link does not work any more
web-enter-gone-about = It was used already, or it has expired. Ask for a new one: till staff invite, with your name.
web-js-dismiss = Dismiss
web-js-ended = Your session has ended. Load the page again to go on.
web-js-example = For example: { $n }
web-js-live = connected
web-js-new-window = opens a new window
web-js-not-sent = We could not send that. Check your connection, then send it again: it will count once.
web-js-nothing-yet = Nothing yet
web-js-off = disconnected
web-js-one-more = One more
web-js-private = Only staff see this
web-js-reconnecting = reconnecting…
web-js-reload = Load again
web-js-show-it = Show it
web-js-signed-out = You are signed out. Ask for a new link: till staff invite, with your name.
web-js-table-amount = Amount
web-js-table-item = Item
web-js-test = TEST
web-js-too-long = That message is too long. Please keep it under 4,000 characters, or send it in parts.
web-js-unread = unread
web-js-yes = Yes, go ahead
web-js-you = You
web-refused-origin = That came from another page. Open the chat itself and write there.
web-refused-unreadable = We could not read that. Load the page again and send it once more.
web-refused-too-long = That message is too long. Please keep it under 4,000 characters, or send it in parts.
web-refused-too-often = { $secs ->
    [one] That was very fast. Please wait a second, then send it again.
   *[other] That was very fast. Please wait { $secs } seconds, then send it again.
  }
web-refused-too-many-pages = This chat is open in many windows. Please close some of them.
web-refused-signed-out = Your session has ended. Load the page again to go on.
web-refused-not-found = That conversation is not there any more. Choose another one.
web-refused-not-now = The till is opening or closing. Please try again in a moment.
web-refused-store = The till is busy for a moment. Please send it again: it will count once.

# Slack
slack-details = Details
slack-link = Open the payment page
slack-link-after = See how it stands
slack-yes = { $act }
slack-no = Leave it
slack-close = Close
slack-show-it = Show it
slack-one-more = One more
slack-install-title = Add the till of { $merchant } to your Slack
slack-install-about = Slack will ask you to allow it. Staff can then ask for money in your channels, and nobody else: who is staff, the owner decides.
slack-install-go = Go on to Slack
slack-install-not = Not added
slack-install-gone = This link has been used or has expired. Ask whoever gave it to you for a new one: “till slack install”.
slack-install-stale = This page is not the end of what was begun here, or it took too long. Please open the link once more.
slack-install-declined = Nothing was allowed, and nothing was added.
slack-install-again = Try it again
slack-install-refused = Slack did not go along, and nothing was added. The log of the till says why. Ask for a new link, and try again.
slack-added-title = The till is in { $workspace }
slack-added-next = Type /pay in any channel. Who is not on the staff list yet is told the line that puts them there.
slack-added-staff = The owner puts you on the list with:
slack-form-open = Open the form
slack-form-offer = Tell me what to ask for:
slack-form-title = Ask for money
slack-form-send = Ask
slack-form-amount = Amount
slack-form-amount-example = 25.00
slack-form-currency = Currency
slack-form-what = What for
slack-form-payer = Who is to pay
slack-form-expires = Open for
slack-form-note = Note for the payer
slack-form-no-amount = Please write how much.
slack-refund-title = Send money back
slack-refund-send = Send back
slack-refund-hint = The money goes back the way it came. This cannot be undone.
slack-1h = 1 hour
slack-24h = 24 hours
slack-3d = 3 days
slack-7d = 7 days
slack-30d = 30 days
