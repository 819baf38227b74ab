/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "hub-model.h"

#include <string.h>

#include "conic-hub.h"
#include "fake-peer.h"

#define N_SLOTS  6
#define WINDOW   10
#define NO_SLOT  -1
#define NO_ERROR -1

/* An id that somebody has, or that is held for somebody. */
typedef struct {
  char *id;
  char *token;
  int slot; /* NO_SLOT while it is held */
  gint64 until;
} Claim;

typedef struct {
  ConicHub *hub;
  gint64 now;
  gint64 window;
  gboolean shut_down;
  FakePeer *slots[N_SLOTS];
  gboolean readme[N_SLOTS];
  GPtrArray *claims;
} Model;

/* The four bytes that say what happens next. */
typedef struct {
  guint8 action;
  guint8 slot;
  guint8 name;
  guint8 detail;
} Step;

static const char *const names[] = {"a", "b", "c", "d", "~"};

static void
claim_free (Claim *claim)
{
  g_free (claim->id);
  g_free (claim->token);
  g_free (claim);
}

static Claim *
find_claim (Model *model, const char *id)
{
  for (guint i = 0; i < model->claims->len; i++) {
    Claim *claim = model->claims->pdata[i];

    if (strcmp (claim->id, id) == 0)
      return claim;
  }

  return NULL;
}

static Claim *
find_claim_of (Model *model, int slot)
{
  for (guint i = 0; i < model->claims->len; i++) {
    Claim *claim = model->claims->pdata[i];

    if (claim->slot == slot)
      return claim;
  }

  return NULL;
}

static void
let_go (Model *model)
{
  for (guint i = model->claims->len; i-- > 0;) {
    const Claim *claim = model->claims->pdata[i];

    if (claim->slot == NO_SLOT && claim->until <= model->now)
      g_ptr_array_remove_index (model->claims, i);
  }
}

static gboolean
is_deaf (Model *model, int slot)
{
  return model->slots[slot]->close_status != 0;
}

/* Takes the one message that the hub said to @slot. */
static ConicMessage *
take_answer (Model *model, int slot, ConicMessageType type, int error)
{
  ConicMessage *message = fake_peer_take (model->slots[slot]);

  g_assert_nonnull (message);
  g_assert_cmpint (message->type, ==, type);
  g_assert_cmpint (message->has_error, ==, error != NO_ERROR);
  if (error != NO_ERROR)
    g_assert_cmpint (message->code, ==, error);

  return message;
}

static void
expect_answer (Model *model, int slot, ConicMessageType type, int error)
{
  conic_message_free (take_answer (model, slot, type, error));
}

static void
say (Model *model, int slot, const char *text)
{
  fake_peer_say (model->slots[slot], model->hub, model->now, text);
}

static void
do_connect (Model *model, const Step *step, int slot)
{
  if (model->slots[slot] != NULL)
    return;

  model->slots[slot] = fake_peer_new ();
  model->readme[slot] = step->detail & 1;
  conic_hub_add (model->hub, &model->slots[slot]->peer, model->now);
  if (model->shut_down) {
    expect_answer (model, slot, CONIC_MESSAGE_ERROR, CONIC_ERROR_SHUTTING_DOWN);
    g_assert_cmpuint (model->slots[slot]->close_status, ==, 1001);
  }
}

static void
do_disconnect (Model *model, gboolean lost, int slot)
{
  Claim *claim = find_claim_of (model, slot);

  conic_hub_remove (model->hub, &model->slots[slot]->peer, lost, model->now);
  g_clear_pointer (&model->slots[slot], fake_peer_free);
  if (claim == NULL)
    return;

  if (lost && model->window > 0 && !model->shut_down) {
    claim->slot = NO_SLOT;
    claim->until = model->now + model->window;
  } else {
    g_ptr_array_remove (model->claims, claim);
  }
}

static char *
write_registration (Model *model, int slot, const char *id, const char *token)
{
  if (model->readme[slot])
    return g_strdup_printf ("{\"type\":\"register\",\"raw\":{\"ID\":\"%s\"}}", id);

  return g_strdup_printf ("{\"type\":\"register_request\",\"data\":{\"client_id\":\"%s\","
                          "\"resume_token\":\"%s\"}}",
                          id, token);
}

static void
do_register (Model *model, const Step *step, int slot)
{
  /* Beyond the table: ask for no id in particular. */
  guint name = step->name % (G_N_ELEMENTS (names) + 1);
  const char *id = name < G_N_ELEMENTS (names) ? names[name] : "";
  Claim *claim = find_claim (model, id);
  gboolean knows_token = claim != NULL && (step->detail & 1) && !model->readme[slot];
  g_autofree char *text =
      write_registration (model, slot, id, knows_token ? claim->token : "wrong");
  g_autoptr (ConicMessage) answer = NULL;
  int error = NO_ERROR;

  say (model, slot, text);
  if (is_deaf (model, slot))
    return;

  if (find_claim_of (model, slot) != NULL)
    error = CONIC_ERROR_ALREADY_REGISTERED;
  else if (claim != NULL && !knows_token)
    error = CONIC_ERROR_ID_TAKEN;
  answer = take_answer (model, slot, CONIC_MESSAGE_REGISTER_RESPONSE, error);
  g_assert_cmpint (answer->success, ==, error == NO_ERROR);
  if (error != NO_ERROR)
    return;

  if (claim != NULL && claim->slot != NO_SLOT)
    g_assert_cmpuint (model->slots[claim->slot]->close_status, ==, 4001);
  if (claim == NULL) {
    claim = g_new0 (Claim, 1);
    g_assert_null (find_claim (model, answer->client_id));
    claim->id = g_strdup (answer->client_id);
    g_ptr_array_add (model->claims, claim);
  }
  g_assert_cmpstr (answer->client_id, ==, claim->id);
  if (id[0] != '\0')
    g_assert_cmpstr (answer->client_id, ==, id);
  g_free (claim->token);
  claim->token = g_strdup (answer->resume_token);
  claim->slot = slot;
}

static void
do_unregister (Model *model, const Step *step, int slot)
{
  Claim *own = find_claim_of (model, slot);
  const char *id = "";
  g_autofree char *text = NULL;

  if (step->detail % 3 == 1)
    id = names[step->name % G_N_ELEMENTS (names)];
  else if (step->detail % 3 == 2 && own != NULL)
    id = own->id;
  text = g_strdup_printf (model->readme[slot]
                              ? "{\"type\":\"unregister\",\"raw\":{\"ID\":\"%s\"}}"
                              : "{\"type\":\"unregister_request\",\"data\":{\"client_id\":\"%s\"}}",
                          id);

  say (model, slot, text);
  if (is_deaf (model, slot))
    return;

  if (own == NULL) {
    /* The first message decides the dialect, and this is none that a new connection may send. */
    expect_answer (model, slot, CONIC_MESSAGE_ERROR, CONIC_ERROR_NOT_REGISTERED);
  } else if (id[0] != '\0' && strcmp (id, own->id) != 0) {
    expect_answer (model, slot, CONIC_MESSAGE_ERROR, CONIC_ERROR_FROM_MISMATCH);
  } else {
    expect_answer (model, slot, CONIC_MESSAGE_UNREGISTER_RESPONSE, NO_ERROR);
    g_ptr_array_remove (model->claims, own);
  }
}

static char *
write_bye (Model *model, int slot, const char *from, const char *to)
{
  const char *comma = from != NULL ? "," : "";
  g_autofree char *sender = NULL;

  if (from != NULL)
    sender = g_strdup_printf (model->readme[slot] ? "\"ID\":\"%s\"" : "\"from_id\":\"%s\"", from);

  return g_strdup_printf (model->readme[slot]
                              ? "{\"type\":\"bye\",\"raw\":{%s%s\"TargetID\":\"%s\"}}"
                              : "{\"type\":\"bye\",\"data\":{%s%s\"to_id\":\"%s\"}}",
                          sender != NULL ? sender : "", comma, to);
}

static void
expect_delivery (Model *model, int slot, const Claim *sender, const char *to)
{
  g_autofree char *text = fake_peer_take_relayed (model->slots[slot]);
  g_auto (ConicView) view;

  g_assert_nonnull (text);
  g_assert_true (
      conic_view_scan (&view, text, strlen (text), model->slots[slot]->peer.dialect, NULL));
  g_assert_cmpint (view.type, ==, CONIC_MESSAGE_BYE);
  g_assert_cmpstr (view.from_id, ==, sender->id);
  g_assert_cmpstr (view.to_id, ==, to);
}

static void
do_relay (Model *model, const Step *step, int slot)
{
  const Claim *own = find_claim_of (model, slot);
  const char *to = names[step->name % G_N_ELEMENTS (names)];
  const Claim *target = find_claim (model, to);
  const char *from = NULL;
  g_autofree char *text = NULL;

  if (step->detail % 4 == 1)
    from = names[(step->detail >> 2) % G_N_ELEMENTS (names)];
  else if (step->detail % 4 == 2 && own != NULL)
    from = own->id;
  text = write_bye (model, slot, from, to);

  say (model, slot, text);
  if (is_deaf (model, slot))
    return;

  if (own == NULL)
    expect_answer (model, slot, CONIC_MESSAGE_ERROR, CONIC_ERROR_NOT_REGISTERED);
  else if (from != NULL && strcmp (from, own->id) != 0)
    expect_answer (model, slot, CONIC_MESSAGE_ERROR, CONIC_ERROR_FROM_MISMATCH);
  else if (target == NULL || target->slot == NO_SLOT)
    expect_answer (model, slot, CONIC_MESSAGE_ERROR, CONIC_ERROR_PEER_NOT_FOUND);
  else if (model->slots[target->slot]->full)
    expect_answer (model, slot, CONIC_MESSAGE_ERROR, CONIC_ERROR_PEER_SLOW);
  else
    expect_delivery (model, target->slot, own, to);
}

static guint
count_connected (Model *model)
{
  guint connected = 0;

  for (guint i = 0; i < model->claims->len; i++) {
    const Claim *claim = model->claims->pdata[i];

    connected += claim->slot != NO_SLOT;
  }

  return connected;
}

static void
do_list (Model *model, int slot)
{
  g_autoptr (ConicMessage) answer = NULL;

  /* Of the dialect that the connection has, or the one that it will have. */
  say (model, slot,
       model->readme[slot] ? "{\"type\":\"list_request\",\"raw\":{}}"
                           : "{\"type\":\"list_request\"}");
  if (is_deaf (model, slot))
    return;

  if (find_claim_of (model, slot) == NULL) {
    expect_answer (model, slot, CONIC_MESSAGE_ERROR, CONIC_ERROR_NOT_REGISTERED);
    return;
  }

  answer = take_answer (model, slot, CONIC_MESSAGE_LIST_RESPONSE, NO_ERROR);
  g_assert_cmpuint (g_strv_length (answer->clients), ==, count_connected (model));
  for (char **id = answer->clients; *id != NULL; id++) {
    const Claim *claim = find_claim (model, *id);

    g_assert_nonnull (claim);
    g_assert_cmpint (claim->slot, !=, NO_SLOT);
  }
}

static void
do_garbage (Model *model, int slot)
{
  say (model, slot, "{\"type\":\"sdp\",");
  if (!is_deaf (model, slot))
    expect_answer (model, slot, CONIC_MESSAGE_ERROR, CONIC_ERROR_BAD_MESSAGE);
}

static void
do_shut_down (Model *model)
{
  gboolean was_deaf[N_SLOTS] = {FALSE};

  for (int slot = 0; slot < N_SLOTS; slot++)
    was_deaf[slot] = model->slots[slot] == NULL || is_deaf (model, slot);

  conic_hub_shut_down (model->hub);
  model->shut_down = TRUE;
  for (int slot = 0; slot < N_SLOTS; slot++) {
    if (was_deaf[slot])
      continue;
    expect_answer (model, slot, CONIC_MESSAGE_ERROR, CONIC_ERROR_SHUTTING_DOWN);
    g_assert_cmpuint (model->slots[slot]->close_status, ==, 1001);
  }
}

static void
do_wait (Model *model, const Step *step)
{
  model->now += step->detail % (WINDOW + 2);
  let_go (model);
  conic_hub_advance (model->hub, model->now);
}

static void
take_step (Model *model, const Step *step)
{
  int slot = step->slot % N_SLOTS;

  if (step->action == 255) {
    do_shut_down (model);
    return;
  }
  if (step->action % 16 == 0) {
    do_wait (model, step);
    return;
  }
  if (model->slots[slot] == NULL) {
    do_connect (model, step, slot);
    return;
  }

  switch (step->action % 16) {
  case 1:
    do_disconnect (model, step->detail % 4 != 0, slot);
    break;
  case 2:
  case 3:
  case 4:
  case 5:
    do_register (model, step, slot);
    break;
  case 6:
    do_unregister (model, step, slot);
    break;
  case 7:
    do_list (model, slot);
    break;
  case 8:
    do_garbage (model, slot);
    break;
  case 9:
    model->slots[slot]->full = !model->slots[slot]->full;
    break;
  default:
    do_relay (model, step, slot);
    break;
  }
}

/* What must hold between any two steps. */
static void
check (Model *model)
{
  gint64 deadline = -1;

  g_assert_cmpuint (conic_hub_get_n_registered (model->hub), ==, count_connected (model));
  for (guint i = 0; i < model->claims->len; i++) {
    const Claim *claim = model->claims->pdata[i];

    if (claim->slot == NO_SLOT && (deadline < 0 || claim->until < deadline))
      deadline = claim->until;
  }
  g_assert_cmpint (conic_hub_get_deadline (model->hub), ==, deadline);

  for (int slot = 0; slot < N_SLOTS; slot++) {
    const FakePeer *fake = model->slots[slot];
    const Claim *claim = find_claim_of (model, slot);

    if (fake == NULL) {
      g_assert_null (claim);
      continue;
    }
    g_assert_cmpstr (fake->peer.id, ==, claim != NULL ? claim->id : NULL);
    g_assert_cmpuint (fake->sent->len, ==, 0);
    g_assert_cmpuint (fake->relayed->len, ==, 0);
  }
}

void
hub_model_run (const guint8 *data, gsize length)
{
  Model model = {
      .window = length > 0 && (data[0] & 1) ? WINDOW : 0,
      .claims = g_ptr_array_new_with_free_func ((GDestroyNotify)claim_free),
  };

  model.hub = conic_hub_new (&(ConicHubOptions){.resume_window = model.window});
  for (gsize at = 1; at + sizeof (Step) <= length; at += sizeof (Step)) {
    Step step;

    memcpy (&step, data + at, sizeof step);
    take_step (&model, &step);
    check (&model);
  }

  for (int slot = 0; slot < N_SLOTS; slot++) {
    if (model.slots[slot] != NULL)
      do_disconnect (&model, TRUE, slot);
  }
  check (&model);
  g_ptr_array_unref (model.claims);
  conic_hub_free (model.hub);
}
