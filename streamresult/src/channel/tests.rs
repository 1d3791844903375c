use subunit::Status;

use super::*;
use crate::testing::CallLog;

#[test]
fn a_full_channel_holds_the_sender_back_and_loses_nothing() {
    let (mut sender, receiver) = channel(1);
    let producer = thread::spawn(move || {
        sender.start_run()?;
        (0..1000).try_for_each(|number| {
            sender.status(&Event::status(&format!("test {number}"), Status::Success))
        })?;
        sender.stop_run()
    });
    let mut seen = CallLog::default();
    receiver.drive(&mut seen).unwrap();
    producer.join().unwrap().unwrap();
    let events: Vec<String> = seen.lines().into_iter().filter(|line| line.starts_with("test")).collect();
    let expected: Vec<String> = (0..1000).map(|number| format!("test {number} success")).collect();
    assert_eq!(events, expected);
    assert_eq!(seen.lines().first().map(String::as_str), Some("start"));
    assert_eq!(seen.lines().last().map(String::as_str), Some("stop"));
}

#[test]
fn without_a_receiver_sending_is_a_broken_pipe() {
    let (mut sender, receiver) = channel(1);
    drop(receiver);
    assert_eq!(sender.start_run().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn tasks_send_and_receive() {
    let (sender, mut receiver) = channel(4);
    let event = Event::status("boot", Status::Fail);
    sender.send(&event).await.unwrap();
    drop(sender);
    assert_eq!(receiver.recv().await, Some(Message::Event(PacketBuf::encode(&event).unwrap())));
    assert_eq!(receiver.recv().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_pushes_blocks_and_does_not_panic() {
    let (mut sender, mut receiver) = channel(1);
    let task = tokio::spawn(async move {
        (0..50).try_for_each(|_| sender.status(&Event::status("boot", Status::Success)))
    });
    let mut summary = crate::Summary::new();
    receiver.forward(&mut summary).await.unwrap();
    task.await.unwrap().unwrap();
    assert_eq!(summary.total(), 50);
}

#[tokio::test]
async fn a_task_that_waits_for_itself_is_told() {
    let (mut sender, mut receiver) = channel(1);
    let task = tokio::spawn(async move {
        (0..3).try_for_each(|_| sender.status(&Event::status("boot", Status::Success)))
    });
    let mut summary = crate::Summary::new();
    receiver.forward(&mut summary).await.unwrap();
    assert_eq!(task.await.unwrap().unwrap_err().kind(), io::ErrorKind::Deadlock);
    assert_eq!(summary.total(), 1, "what was sent came");
}

/// Polls a future once, which is then given up.
async fn begin(future: impl Future) {
    let mut future = std::pin::pin!(future);
    poll_fn(|context| {
        let _ = future.as_mut().poll(context);
        Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn forwarding_that_is_given_up_goes_on_where_it_was() {
    let (sender, mut receiver) = channel(16);
    let mut seen = CallLog::default();
    for round in ["a", "b"] {
        sender.send(&Event::status(round, Status::Success)).await.unwrap();
        begin(receiver.forward(&mut seen)).await;
        begin(receiver.recv()).await;
    }
    sender.send(&Event::status("c", Status::Success)).await.unwrap();
    receiver.drain(&mut seen).unwrap();
    let lines: Vec<String> = seen.lines().into_iter().filter(|line| line != "flush").collect();
    assert_eq!(lines, ["start", "a success", "b success", "c success", "stop"]);
    let error = sender.send(&Event::status("d", Status::Success)).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn a_closed_channel_gives_what_has_come_and_takes_nothing_more() {
    let (sender, mut receiver) = channel(1);
    let event = Event::status("a", Status::Success);
    sender.send(&event).await.unwrap();
    let other = sender.clone();
    let waiting = tokio::spawn(async move { other.send(&Event::status("b", Status::Success)).await });
    tokio::task::yield_now().await;
    receiver.close();
    assert_eq!(waiting.await.unwrap().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    assert!(matches!(receiver.recv().await, Some(Message::Event(_))));
    assert_eq!((receiver.recv().await, receiver.recv_blocking()), (None, None));
}

#[test]
fn it_is_said_who_starts_and_stops() {
    let (mut one, mut receiver) = channel(16);
    let mut other = one.clone();
    one.start_run().unwrap();
    other.start_run().unwrap();
    other.stop_run().unwrap();
    let (one, other) = (one.id(), other.id());
    assert_ne!(one, other);
    receiver.close();
    let messages: Vec<_> = std::iter::from_fn(|| receiver.recv_blocking()).collect();
    assert_eq!(messages, [Message::Start(one), Message::Start(other), Message::Stop(other)]);
}

#[test]
fn a_sink_that_fails_closes_the_channel() {
    let (mut sender, receiver) = channel(16);
    let event = Event::status("a", Status::Success);
    sender.status(&event).unwrap();
    let mut full = crate::from_fn(|_| Err(io::Error::other("disk full")));
    assert_eq!(receiver.drive(&mut full).unwrap_err().to_string(), "disk full");
    assert_eq!(sender.status(&event).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn one_of_several_sinks_that_fails_costs_the_others_nothing() {
    let (mut sender, receiver) = channel(16);
    for id in ["a", "b", "c"] {
        sender.status(&Event::status(id, Status::Success)).unwrap();
    }
    drop(sender);
    let mut summary = crate::Summary::new();
    let mut both = (crate::from_fn(|_| Err(io::Error::other("disk full"))), &mut summary);
    assert_eq!(receiver.drive(&mut both).unwrap_err().to_string(), "disk full");
    assert_eq!(summary.total(), 3);
}
