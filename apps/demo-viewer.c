/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* demo-viewer: runs a pipeline as gst-launch-1.0 does, says once a second what arrives, and ends
 * with a verdict.
 *
 *     demo-viewer [--seconds N] [--picture FILE] PIPELINE
 *
 * It looks at the pipeline through these elements, each of which may be missing:
 *
 *     peer       a conicsrc or conicbin; its stats tell bitrate, round-trip time and path
 *     frames     an identity that every decoded frame passes
 *     messages   a fakesink with signal-handoffs=true that gets every message
 *     (any)      a level element; its messages on the bus tell how loud the sound is
 *
 * The exit code is 0 when pictures that aren't black, sound above silence and messages all arrived,
 * else 1.
 */

#include <glib-unix.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <locale.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Milliseconds between two reports. */
#define REPORT_INTERVAL_MS 1000

/* Seconds that the peer gets until something arrives before the time that was asked for begins: as
 * long as a session gets to be connected. */
#define PATIENCE_SECONDS 20

/* Reports between two saved pictures: often enough to see the clock go on, seldom enough for a slow
 * disk. */
#define REPORTS_PER_PICTURE 3

/* Conversions of one frame run on the main loop, so they're given a bound. */
#define CONVERT_TIMEOUT (5 * GST_SECOND)

/* The size at which a frame's brightness is measured: small, since a mean needs no detail. */
#define THUMBNAIL_CAPS "video/x-raw,format=GRAY8,width=64,height=36"

/* Mean luma (0 to 255) above which a picture isn't called black: black is 16 at most, the test
 * picture about 100. */
#define BLACK_LUMA 32.0

/* Level in dB above which sound isn't called silence: Opus codes digital silence as less than -80
 * dB. */
#define SILENCE_DB -60.0

/* Characters of the last message that are shown: the line has to fit a terminal. */
#define MESSAGE_CHARS 32

/* Colours of a terminal. */
#define RED    31
#define GREEN  32
#define YELLOW 33

/* The columns of a terminal that doesn't tell its width. */
#define DEFAULT_COLUMNS 80

typedef struct {
  GMainLoop *loop;
  GstElement *pipeline;
  const char *picture;
  gboolean tty;
  gboolean colour;
  gboolean failed;
  guint seconds; /* from the first thing that arrives to the end; 0: no end */
  guint end;     /* the source of that */
  guint n_reports;
  guint64 n_frames_reported;
  double brightness; /* of the brightest picture looked at */
  double level;      /* dB, of the last tenth of a second */
  double loudest;    /* dB */

  GMutex lock; /* guards what follows: the streaming threads write it */
  guint64 n_frames;
  GstSample *frame;
  guint64 n_messages;
  char *message;
} Viewer;

static void
viewer_clear (Viewer *self)
{
  g_clear_pointer (&self->frame, gst_sample_unref);
  g_clear_pointer (&self->message, g_free);
  gst_clear_object (&self->pipeline);
  g_clear_pointer (&self->loop, g_main_loop_unref);
  g_mutex_clear (&self->lock);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Viewer, viewer_clear)

/* Prints a line of its own, clear of the status line. */
static void G_GNUC_PRINTF (2, 3) viewer_say (Viewer *self, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *line = g_strdup_vprintf (format, args);
  va_end (args);
  g_print ("%s%s\n", self->tty ? "\r\033[K" : "", line);
}

static guint
terminal_columns (void)
{
  struct winsize size = {0};

  if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return DEFAULT_COLUMNS;
  return size.ws_col;
}

/* The text in a colour, where somebody sees colours; free it. */
static char *
viewer_paint (const Viewer *self, guint colour, const char *text)
{
  return self->colour ? g_strdup_printf ("\033[%um%s\033[m", colour, text) : g_strdup (text);
}

/* Shows the state of things: on a terminal one line that is drawn over and over, with a light in
 * front, else a line each time. `n_arriving`: how many of the three kinds arrive. */
static void
viewer_show_status (Viewer *self, const char *status, guint n_arriving)
{
  static const guint lights[] = {RED, YELLOW, YELLOW, GREEN};

  if (!self->tty) {
    g_print ("%s\n", status);
    return;
  }
  glong room = (glong) terminal_columns () - 3;
  g_autofree char *line = g_utf8_substring (status, 0, CLAMP (room, 0, g_utf8_strlen (status, -1)));
  g_autofree char *light =
      viewer_paint (self, lights[n_arriving], g_get_charset (NULL) ? "\u25cf" : "*");
  g_print ("\r\033[K%s %s", light, line);
}

/* What a peer sends mustn't move the cursor or recolour the terminal, so only printable characters
 * are shown. */
static char *
printable (const guint8 *data, gsize length)
{
  g_autofree char *valid = g_utf8_make_valid ((const char *) data, (gssize) length);
  GString *text = g_string_new (NULL);
  glong n_chars = 0;

  for (const char *at = g_strstrip (valid); *at != '\0'; at = g_utf8_next_char (at)) {
    if (n_chars++ == MESSAGE_CHARS) {
      g_string_append (text, "...");
      break;
    }
    gunichar c = g_utf8_get_char (at);
    g_string_append_unichar (text, g_unichar_isprint (c) ? c : '.');
  }
  return g_string_free (text, FALSE);
}

static void
on_frame (GstElement *frames, GstBuffer *buffer, gpointer user_data)
{
  Viewer *self = user_data;
  g_autoptr (GstPad) pad = gst_element_get_static_pad (frames, "sink");
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_autoptr (GstSample) sample = gst_sample_new (buffer, caps, NULL, NULL);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->n_frames++;
  g_clear_pointer (&self->frame, gst_sample_unref);
  self->frame = g_steal_pointer (&sample);
}

static void
on_text (GstElement *messages, GstBuffer *buffer, GstPad *pad, gpointer user_data)
{
  Viewer *self = user_data;
  GstMapInfo map;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  g_autofree char *text = printable (map.data, map.size);
  gst_buffer_unmap (buffer, &map);

  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  self->n_messages++;
  g_free (self->message);
  self->message = g_steal_pointer (&text);
}

/* Takes note of how bright a frame is. */
static void
viewer_look_at (Viewer *self, GstSample *frame)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstCaps) caps = gst_caps_from_string (THUMBNAIL_CAPS);
  g_autoptr (GstSample) thumbnail = gst_video_convert_sample (frame, caps, CONVERT_TIMEOUT, &error);
  GstMapInfo map;
  guint64 sum = 0;

  if (thumbnail == NULL ||
      !gst_buffer_map (gst_sample_get_buffer (thumbnail), &map, GST_MAP_READ)) {
    viewer_say (self, "cannot look at a frame: %s", error ? error->message : "no memory");
    return;
  }
  for (gsize i = 0; i < map.size; i++)
    sum += map.data[i];
  if (map.size > 0)
    self->brightness = MAX (self->brightness, (double) sum / (double) map.size);
  gst_buffer_unmap (gst_sample_get_buffer (thumbnail), &map);
}

static gboolean
save_picture (GstSample *frame, const char *path, GError **error)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("image/png");
  g_autoptr (GstSample) png = gst_video_convert_sample (frame, caps, CONVERT_TIMEOUT, error);
  GstMapInfo map;

  if (png == NULL)
    return FALSE;
  if (!gst_buffer_map (gst_sample_get_buffer (png), &map, GST_MAP_READ)) {
    g_set_error_literal (error, GST_CORE_ERROR, GST_CORE_ERROR_FAILED, "the PNG cannot be read");
    return FALSE;
  }
  gboolean saved = g_file_set_contents (path, (const char *) map.data, (gssize) map.size, error);
  gst_buffer_unmap (gst_sample_get_buffer (png), &map);
  return saved;
}

static void
viewer_save_picture (Viewer *self, GstSample *frame)
{
  g_autoptr (GError) error = NULL;

  if (save_picture (frame, self->picture, &error))
    return;
  viewer_say (self, "cannot save a picture as %s: %s; going on without", self->picture,
              error->message);
  self->picture = NULL;
}

/* Adds bitrate, round-trip time and path of the peer's first session, as far as they are known. */
static void
append_session_stats (Viewer *self, GString *line)
{
  g_autoptr (GstElement) peer = gst_bin_get_by_name (GST_BIN (self->pipeline), "peer");
  g_autoptr (GstStructure) stats = NULL;
  guint64 bitrate = 0;
  double round_trip = -1;

  if (peer != NULL && g_object_class_find_property (G_OBJECT_GET_CLASS (peer), "stats") != NULL)
    g_object_get (peer, "stats", &stats, NULL);
  const GValue *sessions = stats != NULL ? gst_structure_get_value (stats, "sessions") : NULL;
  if (sessions == NULL || gst_value_array_get_size (sessions) == 0)
    return;

  const GstStructure *session = g_value_get_boxed (gst_value_array_get_value (sessions, 0));
  const char *path = gst_structure_get_string (session, "path");
  gst_structure_get_uint64 (session, "bitrate-in", &bitrate);
  gst_structure_get_double (session, "round-trip-time", &round_trip);
  g_string_append_printf (line, " | %" G_GUINT64_FORMAT " kbit/s", bitrate / 1000);
  if (round_trip >= 0)
    g_string_append_printf (line, " | rtt %.1f ms", round_trip * 1000);
  g_string_append_printf (line, " | path %s", path != NULL ? path : "unknown");
}

static gboolean
on_stop (gpointer user_data)
{
  Viewer *self = user_data;

  g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

/* Has the viewer end after that many seconds from now. */
static void
viewer_end_in (Viewer *self, guint seconds)
{
  g_clear_handle_id (&self->end, g_source_remove);
  self->end = g_timeout_add_seconds (seconds, on_stop, self);
}

static gboolean
on_report (gpointer user_data)
{
  Viewer *self = user_data;
  g_autoptr (GString) line = g_string_new (NULL);
  g_autoptr (GstSample) frame = NULL;
  g_autofree char *message = NULL;
  guint64 n_frames;

  {
    g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
    frame = self->frame != NULL ? gst_sample_ref (self->frame) : NULL;
    message = g_strdup (self->message);
    n_frames = self->n_frames;
  }

  if (frame != NULL) {
    GstVideoInfo info;

    viewer_look_at (self, frame);
    if (gst_video_info_from_caps (&info, gst_sample_get_caps (frame)))
      g_string_append_printf (line, "%dx%d %" G_GUINT64_FORMAT "/s", info.width, info.height,
                              n_frames - self->n_frames_reported);
    if (self->picture != NULL && self->n_reports++ % REPORTS_PER_PICTURE == 0)
      viewer_save_picture (self, frame);
  } else {
    g_string_append (line, "no picture yet");
  }
  guint n_arriving = (n_frames > self->n_frames_reported) +
                     (self->loudest > -G_MAXDOUBLE && self->level > SILENCE_DB) + (message != NULL);
  self->n_frames_reported = n_frames;
  if (self->seconds > 0 && (frame != NULL || message != NULL || self->loudest > -G_MAXDOUBLE)) {
    viewer_end_in (self, self->seconds);
    self->seconds = 0;
  }

  if (self->loudest > -G_MAXDOUBLE)
    g_string_append_printf (line, " | %.0f dB", self->level);
  else
    g_string_append (line, " | no sound yet");
  if (message != NULL)
    g_string_append_printf (line, " | %s", message);
  else
    g_string_append (line, " | no message yet");
  append_session_stats (self, line);
  viewer_show_status (self, line->str, n_arriving);
  return G_SOURCE_CONTINUE;
}

static void
on_level (Viewer *self, const GstStructure *structure)
{
  const GValue *value = gst_structure_get_value (structure, "rms");
  const GValueArray *channels = value != NULL ? g_value_get_boxed (value) : NULL;

  if (channels == NULL || channels->n_values == 0)
    return;
  self->level = -G_MAXDOUBLE;
  for (guint i = 0; i < channels->n_values; i++)
    self->level = MAX (self->level, g_value_get_double (&channels->values[i]));
  self->loudest = MAX (self->loudest, self->level);
}

static void
on_error (Viewer *self, GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  gst_message_parse_error (message, &error, NULL);
  /* Closing the window is how one ends a viewer, and the sink calls that an error. */
  if (GST_IS_VIDEO_OVERLAY (GST_MESSAGE_SRC (message)) &&
      g_error_matches (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND)) {
    viewer_say (self, "the window was closed");
  } else {
    viewer_say (self, "error from %s: %s", GST_MESSAGE_SRC_NAME (message), error->message);
    self->failed = TRUE;
  }
  g_main_loop_quit (self->loop);
}

static void
on_warning (Viewer *self, GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  gst_message_parse_warning (message, &error, NULL);
  /* The pad of a channel that opens later than the media is linked all the same. */
  if (!g_error_matches (error, GST_PARSE_ERROR, GST_PARSE_ERROR_DELAYED_LINK))
    viewer_say (self, "warning from %s: %s", GST_MESSAGE_SRC_NAME (message), error->message);
}

static gboolean
on_bus (GstBus *bus, GstMessage *message, gpointer user_data)
{
  Viewer *self = user_data;

  switch (GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_ERROR:
    on_error (self, message);
    break;
  case GST_MESSAGE_WARNING:
    on_warning (self, message);
    break;
  case GST_MESSAGE_EOS:
    viewer_say (self, "the stream has ended");
    g_main_loop_quit (self->loop);
    break;
  case GST_MESSAGE_ELEMENT:
    if (gst_message_has_name (message, "level"))
      on_level (self, gst_message_get_structure (message));
    break;
  default:
    break;
  }
  return G_SOURCE_CONTINUE;
}

static void
viewer_connect (Viewer *self, const char *element, const char *signal, GCallback handler)
{
  g_autoptr (GstElement) found = gst_bin_get_by_name (GST_BIN (self->pipeline), element);

  if (found != NULL)
    g_signal_connect (found, signal, handler, self);
}

static gboolean
viewer_judge (Viewer *self, const char *what, gboolean arrived, const char *details)
{
  g_autofree char *verdict =
      viewer_paint (self, arrived ? GREEN : RED, arrived ? "ok        " : "MISSING   ");

  viewer_say (self, "%-10s%s%s", what, verdict, details);
  return arrived;
}

/* Says of each kind whether it arrived. Called when nothing streams any more. */
static gboolean
viewer_verdict (Viewer *self)
{
  if (self->frame != NULL)
    viewer_look_at (self, self->frame);

  g_autofree char *video = g_strdup_printf ("%" G_GUINT64_FORMAT " frames, brightness %.0f of 255",
                                            self->n_frames, self->brightness);
  g_autofree char *audio = self->loudest > -G_MAXDOUBLE
                               ? g_strdup_printf ("%.1f dB at the loudest", self->loudest)
                               : g_strdup ("no sound at all");
  g_autofree char *messages =
      g_strdup_printf ("%" G_GUINT64_FORMAT " received, the last: %s", self->n_messages,
                       self->message != NULL ? self->message : "none");
  gboolean all = TRUE;

  if (self->tty)
    g_print ("\n");
  all &= viewer_judge (self, "video", self->n_frames > 0 && self->brightness > BLACK_LUMA, video);
  all &= viewer_judge (self, "audio", self->loudest > SILENCE_DB, audio);
  all &= viewer_judge (self, "messages", self->n_messages > 0, messages);
  return all;
}

/* What couldn't start has said why on the bus. */
static void
viewer_fail (Viewer *self, GstBus *bus)
{
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);

  self->failed = TRUE;
  if (message != NULL)
    on_error (self, message);
  else
    viewer_say (self, "the pipeline does not start");
}

static gboolean
viewer_run (Viewer *self)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);

  viewer_connect (self, "frames", "handoff", G_CALLBACK (on_frame));
  viewer_connect (self, "messages", "handoff", G_CALLBACK (on_text));
  guint watch = gst_bus_add_watch (bus, on_bus, self);
  guint sources[] = {
      g_timeout_add (REPORT_INTERVAL_MS, on_report, self),
      g_unix_signal_add (SIGINT, on_stop, self),
      g_unix_signal_add (SIGTERM, on_stop, self),
  };

  if (self->seconds > 0)
    viewer_end_in (self, PATIENCE_SECONDS + self->seconds);
  if (gst_element_set_state (self->pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    viewer_fail (self, bus);
  else
    g_main_loop_run (self->loop);
  gst_element_set_state (self->pipeline, GST_STATE_NULL);

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    g_source_remove (sources[i]);
  g_clear_handle_id (&self->end, g_source_remove);
  g_source_remove (watch);
  return viewer_verdict (self) && !self->failed;
}

int
main (int argc, char *argv[])
{
  int seconds = 0;
  g_autofree char *picture = NULL;
  g_auto (GStrv) description = NULL;
  const GOptionEntry entries[] = {
      {"seconds", 's', 0, G_OPTION_ARG_INT, &seconds,
       "End after N seconds in which something arrives", "N"},
      {"picture", 'p', 0, G_OPTION_ARG_FILENAME, &picture, "Save a picture every few seconds",
       "FILE"},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &description, NULL, "PIPELINE"},
      G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  const char *no_colour = g_getenv ("NO_COLOR");

  setlocale (LC_ALL, "");
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, &argc, &argv, &error) || description == NULL ||
      seconds < 0) {
    g_printerr ("demo-viewer: %s; see demo-viewer --help\n",
                error != NULL ? error->message : "a pipeline is needed, and seconds from 0 up");
    return 2;
  }

  g_auto (Viewer) self = {
      .loop = g_main_loop_new (NULL, FALSE),
      .picture = picture,
      .seconds = (guint) seconds,
      .tty = isatty (STDOUT_FILENO),
      .colour = isatty (STDOUT_FILENO) && (no_colour == NULL || *no_colour == '\0'),
      .loudest = -G_MAXDOUBLE,
  };
  g_mutex_init (&self.lock);
  self.pipeline = gst_parse_launchv ((const char **) description, &error);
  if (error != NULL) {
    g_printerr ("demo-viewer: %s\n", error->message);
    return 2;
  }
  return viewer_run (&self) ? 0 : 1;
}
